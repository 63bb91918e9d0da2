package kernels

func quantizeQ5_1Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ5_1:], src[BlockLenQ5_1:] {
		var levels [32]uint8
		d, m := fitRange(&levels, src[:BlockLenQ5_1], 31)
		storeQ5_1(dst, d, m, &levels)
	}
}

func quantizeQ5_1WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	weightedBlocks(src, rowLen, weights, func(block int, x, w []float32) {
		var levels [32]uint8
		d, m := fitRangeWeighted(&levels, x, w, &q51WeightedSearch)
		storeQ5_1(dst[block*BlockSizeQ5_1:], d, m, &levels)
	})
}
