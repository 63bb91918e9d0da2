package kernels

func quantizeQ5_KGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenQ5_K {
		x := src[i:][:BlockLenQ5_K]
		var b affineSubBlocks
		var fits [8]affineFit
		var levels [superBlock]uint8
		b.fit(&fits, x, blockWeights(weights, i, rowLen, BlockLenQ5_K), &q5KSearch, &q5KWeightedSearch)
		b.quantize(&levels, x, &fits, q5KSearch.top)
		storeQ5_K(dst[i/BlockLenQ5_K*BlockSizeQ5_K:], &b, &levels)
	}
}
