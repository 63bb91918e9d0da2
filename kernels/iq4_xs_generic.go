package kernels

func quantizeIQ4_XSGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenIQ4_XS {
		x := src[i:][:BlockLenIQ4_XS]
		importance := blockWeights(weights, i, rowLen, BlockLenIQ4_XS)
		sigma2 := float32(2 * sumSquares32(x) / superBlock)
		var fitted [8]float32
		var w [32]float32
		for j := range fitted {
			xs := x[32*j:][:32]
			iq4Weights(w[:], xs, blockWeights(importance, 32*j, superBlock, 32), sigma2)
			fitted[j] = fitIQ4(xs, w[:])
		}
		var scales [8]int32
		var levels [superBlock]uint8
		d := scaleIQ4_XS(&scales, &fitted)
		for j, v := range x {
			inverse := reciprocal(float32(d * float32(scales[j/32])))
			levels[j] = nearestIQ4(inverse * v)
		}
		storeIQ4_XS(dst[i/BlockLenIQ4_XS*BlockSizeIQ4_XS:], d, &scales, &levels)
	}
}
