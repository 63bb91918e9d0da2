package kernels

func quantizeQ4_1Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ4_1:], src[BlockLenQ4_1:] {
		var levels [32]uint8
		d, m := fitRange(&levels, src[:BlockLenQ4_1], 15)
		storeQ4_1(dst, d, m, &levels)
	}
}

func quantizeQ4_1WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	weightedBlocks(src, rowLen, weights, func(block int, x, w []float32) {
		var levels [32]uint8
		d, m := fitRangeWeighted(&levels, x, w, &q41WeightedSearch)
		storeQ4_1(dst[block*BlockSizeQ4_1:], d, m, &levels)
	})
}
