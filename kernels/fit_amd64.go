//go:build !purego

package kernels

func fitInt4(x []float32, s float32) (failure, xq, qq float32) {
	if !fitsWhole(x) {
		return fitInt4Generic(x, s)
	}
	return fitInt4AVX2(x, s)
}

func fitE2M1(x []float32, s float32) float32 {
	if !fitsWhole(x) {
		return fitE2M1Generic(x, s)
	}
	return fitE2M1AVX2(x, s)
}

// fitsWhole reports whether the AVX2 versions take the values.
func fitsWhole(x []float32) bool {
	return len(x) > 0 && len(x)%fitLanes == 0 && (useAVX2 || useAVX512)
}
