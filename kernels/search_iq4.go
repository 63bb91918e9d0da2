package kernels

// nearestIQ4 returns the level whose value is nearest to x, the higher one of two
// as near. NaN gives level 0.
func nearestIQ4(x float32) uint8 {
	var l uint8
	for step := uint8(8); step > 0; step /= 2 {
		if x >= iq4Middles[l+step-1] {
			l += step
		}
	}
	return l
}

// iq4Middles[i] is the midpoint of iq4Values[i] and [i+1], from where on level i+1
// is nearer.
var iq4Middles = [15]float32{-115.5, -93.5, -74, -57, -42, -28.5, -16, -4.5, 7, 19, 31.5, 45.5, 61, 79, 101}

// fitIQ4 looks for the scale with the least weighted error
//
//	Σ w·(scale·iq4Values[level] − x)²
//
// by trying 15 scales that bring the value of the greatest magnitude to -127+i,
// i = -7..7: for the levels that each gives, least squares has the scale
// Σwqx/Σwq², q being the levels' values, and the error falls by (Σwqx)²/Σwq², so
// the greatest wins. Before them comes the scale that brings that value to +127 or
// -127, whichever is its sign; of equals the first one wins.
//
// This is the search of quantize_row_iq4_nl_impl in ggml-quants.c, with ntry 7.
func fitIQ4(x, w []float32) (scale float32) {
	peak, magnitude := absMax(x)
	if magnitude < tiny {
		return 0
	}
	low := float32(iq4Values[0])
	sumQX, sumQ2 := sumIQ4(x, w, 1/(-peak/low))
	if sumQ2 > 0 {
		scale = sumQX / sumQ2
	}
	bestGain := float32(scale * sumQX)
	for i := -7; i <= 7; i++ {
		sumQX, sumQ2 = sumIQ4(x, w, (float32(i)+low)/peak)
		if sumQ2 > 0 && float32(sumQX*sumQX) > float32(bestGain*sumQ2) {
			scale = sumQX / sumQ2
			bestGain = float32(scale * sumQX)
		}
	}
	return scale
}

// sumIQ4 returns Σ w·q·x and Σ w·q² for the values q of the levels of inverse·x.
func sumIQ4(x, w []float32, inverse float32) (sumQX, sumQ2 float32) {
	w = w[:len(x)]
	for i, v := range x {
		q := float32(iq4Values[nearestIQ4(inverse*v)])
		wq := float32(w[i] * q)
		sumQX += float32(wq * v)
		sumQ2 += float32(wq * q)
	}
	return sumQX, sumQ2
}
