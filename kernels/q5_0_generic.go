package kernels

func quantizeQ5_0Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ5_0:], src[BlockLenQ5_0:] {
		var levels [32]uint8
		storeQ5_0(dst, fitPeak(&levels, src[:BlockLenQ5_0], 16), &levels)
	}
}

func quantizeQ5_0WeightedGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	weightedBlocks(src, rowLen, weights, func(block int, x, w []float32) {
		var levels [32]uint8
		d := fitPeakWeighted(&levels, x, w, 16)
		storeQ5_0(dst[block*BlockSizeQ5_0:], d, &levels)
	})
}
