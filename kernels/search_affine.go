package kernels

// An affineSearch says which scales to try for x ≈ scale·level + min with levels
// 0..top: those for which the span of x becomes top+start+step·i levels wide,
// for i = 0..steps.
type affineSearch struct {
	top         int32
	start, step float32
	steps       int
	absolute    bool // sum |error| rather than its square
}

// width returns how many levels wide step i makes the span of x.
func (s *affineSearch) width(i int) float32 {
	return s.start + float32(s.step*float32(i)) + float32(s.top)
}

// An affineFit is the outcome of a search: x ≈ scale·level + min, where the level
// of x is nearestLevel((x-base)·inverse, 0, top). These levels belong to the step
// that won, whose scale and min were fitted to them afterwards: scale is not
// exactly 1/inverse, nor min base.
type affineFit struct {
	scale, min    float32
	inverse, base float32
}

// level returns the level of x among 0..top.
func (f *affineFit) level(x float32, top int32) uint8 {
	return uint8(nearestLevel(f.inverse*(x-f.base), 0, top))
}

// quantize sets levels to those of (x+m)/d, or of the search if d is 0.
func (f *affineFit) quantize(levels []uint8, x []float32, d, m float32, top int32) {
	x = x[:len(levels)]
	for i, v := range x {
		if d == 0 {
			levels[i] = f.level(v, top)
		} else {
			levels[i] = uint8(nearestLevel((v+m)/d, 0, top))
		}
	}
}

// fit looks for the scale and min ≤ 0 with the least weighted error
//
//	Σ w·(scale·level + min − x)²
//
// Each step of the search quantizes x to levels by a trial scale, solves the
// normal equations of weighted least squares for the scale and min that go best
// with these levels, and keeps them if the error fell. The min of the best fit so
// far is where the following steps measure from.
//
// This is make_qkx2_quants and make_qkx3_quants of ggml-quants.c.
func (s *affineSearch) fit(x, w []float32) affineFit {
	w = w[:len(x)]
	lo, hi := x[0], x[0]
	sumW := w[0]
	sumX := float32(w[0] * x[0])
	for i := 1; i < len(x); i++ {
		if x[i] < lo {
			lo = x[i]
		}
		if x[i] > hi {
			hi = x[i]
		}
		sumW += w[i]
		sumX += float32(w[i] * x[i])
	}
	lo = min(lo, 0)
	if hi == lo {
		return affineFit{min: lo}
	}
	best := affineFit{min: lo, inverse: float32(s.top) / (hi - lo), base: lo}
	best.scale = 1 / best.inverse
	bestError := s.error(x, w, &best, best.scale, best.min)
	for i := range s.steps + 1 {
		trial := affineFit{base: best.min}
		trial.inverse = s.width(i) / (hi - trial.base)
		var sumL, sumL2, sumXL float32
		for j, v := range x {
			l := float32(nearestLevel(trial.inverse*(v-trial.base), 0, s.top))
			wl := float32(w[j] * l)
			sumL += wl
			sumL2 += float32(wl * l)
			sumXL += float32(wl * v)
		}
		d := float32(sumW*sumL2) - float32(sumL*sumL)
		if !(d > 0) {
			continue
		}
		trial.scale = (float32(sumW*sumXL) - float32(sumX*sumL)) / d
		trial.min = (float32(sumL2*sumX) - float32(sumL*sumXL)) / d
		if trial.min > 0 {
			trial.min = 0
			trial.scale = sumXL / sumL2
		}
		if e := s.error(x, w, &trial, trial.scale, trial.min); e < bestError {
			best, bestError = trial, e
		}
	}
	return best
}

// error returns the weighted error of x against scale·level + min, with the
// levels of f.
func (s *affineSearch) error(x, w []float32, f *affineFit, scale, min float32) (sum float32) {
	w = w[:len(x)]
	for i, v := range x {
		l := float32(nearestLevel(f.inverse*(v-f.base), 0, s.top))
		diff := float32(scale*l) + min - v
		if s.absolute {
			diff = abs32(diff)
		} else {
			diff = float32(diff * diff)
		}
		sum += float32(w[i] * diff)
	}
	return sum
}
