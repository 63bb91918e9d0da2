package kernels

func quantizeQ4_1Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ4_1:], src[BlockLenQ4_1:] {
		var levels [32]uint8
		d, m := fitRange(&levels, src[:BlockLenQ4_1], 15)
		storeQ4_1(dst, d, m, &levels)
	}
}

func quantizeQ4_1WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for ; len(src) > 0; src = src[rowLen:] {
		row := src[:rowLen]
		sigma2 := rowSpread(row)
		for i := 0; i < rowLen; i += BlockLenQ4_1 {
			quantizeBlockQ4_1Weighted(dst[:BlockSizeQ4_1], row[i:][:BlockLenQ4_1], weights[i:], sigma2)
			dst = dst[BlockSizeQ4_1:]
		}
	}
}

// quantizeBlockQ4_1Weighted quantizes a block of a row with the mean square sigma2.
func quantizeBlockQ4_1Weighted(dst []byte, x, importance []float32, sigma2 float32) {
	var w [BlockLenQ4_1]float32
	var levels [BlockLenQ4_1]uint8
	importanceWeights(w[:], x, importance, sigma2)
	d, m := fitRangeWeighted(&levels, x, w[:], &q41WeightedSearch)
	storeQ4_1(dst, d, m, &levels)
}
