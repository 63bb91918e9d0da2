//go:build !amd64 || purego

package kernels

func quantizeQ4_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ4_KGeneric(dst, src, rowLen, weights)
}

func quantizeQ5_K(dst []byte, src []float32, rowLen int, weights []float32) {
	quantizeQ5_KGeneric(dst, src, rowLen, weights)
}
