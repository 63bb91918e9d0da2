package kernels

// tiny is the magnitude below which a group of values counts as zeros
// (GROUP_MAX_EPS of ggml-quants.c).
const tiny = 1e-15

// A symmetricFit is the outcome of a search: x ≈ scale·(level-half), where the
// level of x is half + nearestLevel(inverse·x, -half, half-1), and 0 for every x
// of a group of zeros, which has an inverse of 0.
type symmetricFit struct {
	scale   float32
	inverse float32
}

// level returns the level of x among 0..2·half-1.
func (f *symmetricFit) level(x float32, half int32) uint8 {
	if f.inverse == 0 {
		return 0
	}
	return uint8(half + nearestLevel(f.inverse*x, -half, half-1))
}

// fitSymmetric looks for the scale with the least weighted error
//
//	Σ w·(scale·(level-half) − x)²,  levels in 0..2·half-1
//
// by trying 19 trial scales that bring the value of the greatest magnitude to
// -half+i/10, i = -9..9: for the levels that each gives, least squares has the
// scale Σwxl/Σwl², and the error falls by (Σwxl)²/Σwl², so the greatest wins.
// Weights that are nil stand for x².
//
// This is make_qx_quants of ggml-quants.c with rmse_type 1.
func fitSymmetric(x, w []float32, half int32) symmetricFit {
	peak, magnitude := absMax(x)
	if magnitude < tiny {
		return symmetricFit{}
	}
	ends := symmetricEnds(float32(half))
	best := symmetricFit{inverse: ends[0] / peak}
	sumXL, sumL2 := sumLevels(x, w, best.inverse, half)
	if sumL2 != 0 {
		best.scale = sumXL / sumL2
	}
	bestGain := float32(best.scale * sumXL)
	for _, end := range ends[1:] {
		inverse := end / peak
		sumXL, sumL2 = sumLevels(x, w, inverse, half)
		if sumL2 > 0 && float32(sumXL*sumXL) > float32(bestGain*sumL2) {
			best = symmetricFit{scale: sumXL / sumL2, inverse: inverse}
			bestGain = float32(best.scale * sumXL)
		}
	}
	return best
}

// symmetricEnds returns what the trial scales bring the value of the greatest magnitude
// to, in the order of the trials: -half first, then from 0.9 above it to 0.9 below.
func symmetricEnds(half float32) (ends [19]float32) {
	ends[0] = -half
	for i := range 9 {
		ends[1+i] = -(half + float32(0.1*float32(i-9)))
		ends[10+i] = -(half + float32(0.1*float32(i+1)))
	}
	return ends
}

// sumLevels returns Σ w·x·l and Σ w·l² for l = nearestLevel(inverse·x, -half, half-1).
func sumLevels(x, w []float32, inverse float32, half int32) (sumXL, sumL2 float32) {
	for i, v := range x {
		l := float32(nearestLevel(inverse*v, -half, half-1))
		wi := float32(v * v)
		if w != nil {
			wi = w[i]
		}
		sumXL += float32(float32(wi*v) * l)
		sumL2 += float32(float32(wi*l) * l)
	}
	return sumXL, sumL2
}
