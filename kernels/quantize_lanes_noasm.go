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
