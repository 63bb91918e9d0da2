package kernels

func quantizeQ5_1Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ5_1:], src[BlockLenQ5_1:] {
		var levels [32]uint8
		d, m := fitRange(&levels, src[:BlockLenQ5_1], 31)
		storeQ5_1(dst, d, m, &levels)
	}
}

func quantizeQ5_1WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for ; len(src) > 0; src = src[rowLen:] {
		row := src[:rowLen]
		sigma2 := rowSpread(row)
		for i := 0; i < rowLen; i += BlockLenQ5_1 {
			quantizeBlockQ5_1Weighted(dst[:BlockSizeQ5_1], row[i:][:BlockLenQ5_1], weights[i:], sigma2)
			dst = dst[BlockSizeQ5_1:]
		}
	}
}

// quantizeBlockQ5_1Weighted quantizes a block of a row with the mean square sigma2.
func quantizeBlockQ5_1Weighted(dst []byte, x, importance []float32, sigma2 float32) {
	var w [BlockLenQ5_1]float32
	var levels [BlockLenQ5_1]uint8
	importanceWeights(w[:], x, importance, sigma2)
	d, m := fitRangeWeighted(&levels, x, w[:], &q51WeightedSearch)
	storeQ5_1(dst, d, m, &levels)
}
