package kernels

func quantizeQ4_0Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ4_0:], src[BlockLenQ4_0:] {
		var levels [32]uint8
		storeQ4_0(dst, fitPeak(&levels, src[:BlockLenQ4_0], 8), &levels)
	}
}

func quantizeQ4_0WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for ; len(src) > 0; src = src[rowLen:] {
		row := src[:rowLen]
		sigma2 := rowSpread(row)
		for i := 0; i < rowLen; i += BlockLenQ4_0 {
			quantizeBlockQ4_0Weighted(dst[:BlockSizeQ4_0], row[i:][:BlockLenQ4_0], weights[i:], sigma2)
			dst = dst[BlockSizeQ4_0:]
		}
	}
}

// quantizeBlockQ4_0Weighted quantizes a block of a row with the mean square sigma2.
func quantizeBlockQ4_0Weighted(dst []byte, x, importance []float32, sigma2 float32) {
	var w [BlockLenQ4_0]float32
	var levels [BlockLenQ4_0]uint8
	importanceWeights(w[:], x, importance, sigma2)
	d := fitPeakWeighted(&levels, x, w[:], 8)
	storeQ4_0(dst, d, &levels)
}
