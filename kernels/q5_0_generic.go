package kernels

func quantizeQ5_0Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ5_0:], src[BlockLenQ5_0:] {
		var levels [32]uint8
		storeQ5_0(dst, fitPeak(&levels, src[:BlockLenQ5_0], 16), &levels)
	}
}

func quantizeQ5_0WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for ; len(src) > 0; src = src[rowLen:] {
		row := src[:rowLen]
		sigma2 := rowSpread(row)
		for i := 0; i < rowLen; i += BlockLenQ5_0 {
			quantizeBlockQ5_0Weighted(dst[:BlockSizeQ5_0], row[i:][:BlockLenQ5_0], weights[i:], sigma2)
			dst = dst[BlockSizeQ5_0:]
		}
	}
}

// quantizeBlockQ5_0Weighted quantizes a block of a row with the mean square sigma2.
func quantizeBlockQ5_0Weighted(dst []byte, x, importance []float32, sigma2 float32) {
	var w [BlockLenQ5_0]float32
	var levels [BlockLenQ5_0]uint8
	importanceWeights(w[:], x, importance, sigma2)
	d := fitPeakWeighted(&levels, x, w[:], 16)
	storeQ5_0(dst, d, &levels)
}
