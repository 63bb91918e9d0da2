package kernels

func quantizeQ4_KGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenQ4_K {
		x := src[i:][:BlockLenQ4_K]
		var b affineSubBlocks
		var fits [8]affineFit
		var levels [superBlock]uint8
		b.fit(&fits, x, blockWeights(weights, i, rowLen, BlockLenQ4_K), &q4KSearch, &q4KWeightedSearch)
		b.quantize(&levels, x, &fits, q4KSearch.top)
		storeQ4_K(dst[i/BlockLenQ4_K*BlockSizeQ4_K:], &b, &levels)
	}
}
