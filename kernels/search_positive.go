package kernels

// fitPositive finds a scale for x ≈ scale·level, levels in 0..top, with a small
// error Σ w·(x − scale·level)²: it tries nine scales that bring the greatest value
// to top+i/10, i = -4..4, fits the scale to the levels of the best, then changes
// one level after the other as fitDescent does. It stores the levels in levels.
// Levels of negative values wrap around to 255 and less, in what is stored and in the
// error of the first of the scales, as in the reference.
//
// The K-quantizers use it on the scales of a super-block, of which there are 8 or
// 16, IQ2_XXS on values, a few of them negative. This is make_qp_quants of ggml-quants.c.
func fitPositive(levels []uint8, x, w []float32, top int32) (scale float32) {
	levels = levels[:len(x)]
	w = w[:len(x)]
	var peak float32
	for _, v := range x {
		if v > peak {
			peak = v
		}
	}
	if peak < tiny {
		clear(levels)
		return 0
	}
	inverse := float32(top) / peak
	trialError := func(inverse float32, level func(v float32) float32) (sum float32) {
		scale := 1 / inverse
		for i, v := range x {
			diff := v - float32(scale*level(inverse*v))
			sum += float32(float32(w[i]*diff) * diff)
		}
		return sum
	}
	wrapped := func(v float32) float32 { return float32(uint8(nearestInt(v))) }
	limited := func(v float32) float32 { return float32(min(nearestInt(v), top)) }
	bestError := trialError(inverse, wrapped)
	for i := -4; i <= 4; i++ {
		if i == 0 {
			continue
		}
		trial := (float32(0.1*float32(i)) + float32(top)) / peak
		if e := trialError(trial, limited); e < bestError {
			bestError, inverse = e, trial
		}
	}
	var sumXL, sumL2 float32
	for i, v := range x {
		l := float32(min(nearestInt(inverse*v), top))
		levels[i] = uint8(int32(l))
		sumXL += float32(float32(w[i]*v) * l)
		sumL2 += float32(float32(w[i]*l) * l)
	}
	for range 5 {
		changed := false
		for i, v := range x {
			old := float32(levels[i])
			wx := float32(w[i] * v)
			xl := sumXL - float32(wx*old) // without element i
			l2 := sumL2 - float32(float32(w[i]*old)*old)
			if !(xl > 0 && l2 > 0) {
				continue
			}
			l := float32(min(nearestInt(float32(v*l2)/xl), top))
			if l == old {
				continue
			}
			xl += float32(wx * l)
			l2 += float32(float32(w[i]*l) * l)
			if float32(float32(xl*xl)*sumL2) > float32(float32(sumXL*sumXL)*l2) {
				levels[i] = uint8(int32(l))
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
