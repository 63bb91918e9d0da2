package kernels

func quantizeQ3_KGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenQ3_K {
		var scales [16]uint8
		var levels [superBlock]uint8
		d := fitQ3_K(&scales, &levels, src[i:][:BlockLenQ3_K], blockWeights(weights, i, rowLen, BlockLenQ3_K))
		storeQ3_K(dst[i/BlockLenQ3_K*BlockSizeQ3_K:], d, &scales, &levels)
	}
}

// fitQ3_K finds the scales and levels of 256 values and returns d as a half float.
// A sub-block whose scale was rounded to zero keeps the levels of the search.
func fitQ3_K(scales *[16]uint8, levels *[superBlock]uint8, x, weights []float32) (d uint16) {
	var fitted, w, sums [16]float32
	sigma2 := float32(2 * sumSquares32(x) / superBlock)
	for i := range fitted {
		xs, ls := x[16*i:][:16], levels[16*i:][:16]
		if weights == nil {
			fitted[i] = fitDescent(ls, xs, 4)
			continue
		}
		importanceWeights(w[:], xs, weights[16*i:], sigma2)
		sums[i] = sum(w[:])
		f := fitSymmetric(xs, w[:], 4)
		fitted[i] = f.scale
		for j, v := range xs {
			ls[j] = f.level(v, 4)
		}
	}
	if weights == nil {
		d = scaleUnweightedQ3_K(scales, &fitted)
	} else {
		d = scaleWeightedQ3_K(scales, &fitted, sums[:])
	}
	for i, s := range scales {
		ds := float32(halfValue(d) * float32(int32(s)-32))
		if ds == 0 {
			continue
		}
		for j, v := range x[16*i:][:16] {
			levels[16*i+j] = uint8(nearestLevel(v/ds, -4, 3) + 4)
		}
	}
	return d
}

// scaleWeightedQ3_K rounds scales to d·(0..63 − 32) with a search, in which
// sub-block i has the weight w[i]. It returns d as a half float.
func scaleWeightedQ3_K(scales *[16]uint8, fitted *[16]float32, w []float32) uint16 {
	f := fitSymmetric(fitted[:], w, 32)
	for i, s := range fitted {
		scales[i] = f.level(s, 32)
	}
	return halfBits(f.scale)
}
