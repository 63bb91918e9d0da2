//go:build !purego

package kernels

func fitInt4(x []float32, s float32) (failure, xq, qq float32) {
	if len(x) == 0 || len(x)%fitLanes != 0 || !useAVX2 && !useAVX512 {
		return fitInt4Generic(x, s)
	}
	return fitInt4AVX2(x, s)
}
