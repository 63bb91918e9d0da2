//go:build !amd64 || purego

package kernels

func quantizeQ4_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ4_KGeneric(dst, src, rowLen, weights)
}

func quantizeQ5_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ5_KGeneric(dst, src, rowLen, weights)
}

func quantizeQ2_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ2_KGeneric(dst, src, rowLen, weights)
}

func quantizeQ3_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ3_KGeneric(dst, src, rowLen, weights)
}

func quantizeQ6_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ6_KGeneric(dst, src, rowLen, weights)
}

func quantizeQ4_0Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ4_0WeightedGeneric(dst, src, rowLen, weights)
}

func quantizeQ4_1Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ4_1WeightedGeneric(dst, src, rowLen, weights)
}

func quantizeQ5_0Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ5_0WeightedGeneric(dst, src, rowLen, weights)
}

func quantizeQ5_1Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ5_1WeightedGeneric(dst, src, rowLen, weights)
}

func quantizeIQ4_NL(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeIQ4_NLGeneric(dst, src, rowLen, weights)
}

func quantizeIQ4_XS(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeIQ4_XSGeneric(dst, src, rowLen, weights)
}

func quantizeQ4_1(dst []byte, src []float32) { quantizeQ4_1Generic(dst, src) }
func quantizeQ5_0(dst []byte, src []float32) { quantizeQ5_0Generic(dst, src) }
func quantizeQ5_1(dst []byte, src []float32) { quantizeQ5_1Generic(dst, src) }
