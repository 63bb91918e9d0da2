package kernels

func quantizeQ4_0Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ4_0:], src[BlockLenQ4_0:] {
		var levels [32]uint8
		storeQ4_0(dst, fitPeak(&levels, src[:BlockLenQ4_0], 8), &levels)
	}
}

func quantizeQ4_0WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	weightedBlocks(src, rowLen, weights, func(block int, x, w []float32) {
		var levels [32]uint8
		d := fitPeakWeighted(&levels, x, w, 8)
		storeQ4_0(dst[block*BlockSizeQ4_0:], d, &levels)
	})
}
