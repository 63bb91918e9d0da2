package kernels

// fitDescent finds a scale for x ≈ scale·(level-half), levels in 0..2·half-1, with
// a small error Σ x²·(scale·(level-half) − x)². From the levels that bring the
// value of the greatest magnitude to -half, it changes one level after the other
// to the one that is nearest under the scale that the other levels imply, as long
// as that helps, in at most five passes. It stores the levels in levels.
//
// This is make_q3_quants of ggml-quants.c.
func fitDescent(levels []uint8, x []float32, half int32) (scale float32) {
	levels = levels[:len(x)]
	peak, magnitude := absMax(x)
	if magnitude < tiny {
		clear(levels)
		return 0
	}
	inverse := -float32(half) / peak
	var sumXL, sumL2 float32
	for i, v := range x {
		l := nearestLevel(inverse*v, -half, half-1)
		levels[i] = uint8(l + half)
		w := float32(v * v)
		sumXL += float32(float32(w*v) * float32(l))
		sumL2 += float32(float32(w*float32(l)) * float32(l))
	}
	for range 5 {
		changed := false
		for i, v := range x {
			old := float32(int32(levels[i]) - half)
			w := float32(v * v)
			wx := float32(w * v)
			xl := sumXL - float32(wx*old) // without element i
			if !(xl > 0) {
				continue
			}
			l2 := sumL2 - float32(float32(w*old)*old)
			l := float32(nearestLevel(float32(v*l2)/xl, -half, half-1))
			if l == old {
				continue
			}
			xl += float32(wx * l)
			l2 += float32(float32(w*l) * l)
			if l2 > 0 && float32(float32(xl*xl)*sumL2) > float32(float32(sumXL*sumXL)*l2) {
				levels[i] = uint8(int32(l) + half)
				sumXL, sumL2 = xl, l2
				changed = true
			}
		}
		if !changed {
			break
		}
	}
	if sumL2 > 0 {
		return sumXL / sumL2
	}
	return 0
}
