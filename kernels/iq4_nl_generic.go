package kernels

func quantizeIQ4_NLGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	var w [32]float32
	for i := 0; i < len(src); i += BlockLenIQ4_NL {
		x := src[i:][:BlockLenIQ4_NL]
		iq4Weights(w[:], x, blockWeights(weights, i, rowLen, BlockLenIQ4_NL), float32(2*sumSquares32(x)/BlockLenIQ4_NL))
		d := fitIQ4(x, w[:])
		inverse := reciprocal(d)
		var levels [32]uint8
		for j, v := range x {
			levels[j] = nearestIQ4(inverse * v)
		}
		storeIQ4_NL(dst[i/BlockLenIQ4_NL*BlockSizeIQ4_NL:], d, &levels)
	}
}

// iq4Weights sets the weights of the errors of a block.
func iq4Weights(w, x, importance []float32, sigma2 float32) {
	if importance != nil {
		importanceWeights(w, x, importance, sigma2)
		return
	}
	for i, v := range x {
		w[i] = float32(v * v)
	}
}
