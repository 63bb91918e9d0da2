//go:build !purego

package kernels

// addScaledDot64 does so for as many elements as it returns, a multiple of dotLanes.
func addScaledDot64(lane *[dotLanes]float64, y []float64, a float64, x, z []float64) (n int) {
	n = len(y) &^ (dotLanes - 1)
	switch {
	case useAVX512:
		addScaledDot64AVX512(lane, y[:n], a, x, z)
	case useAVX2:
		addScaledDot64AVX2(lane, y[:n], a, x, z)
	default:
		return 0
	}
	return n
}

// subScaled64 does so for as many elements as it returns.
func subScaled64(y []float64, a float64, x []float64, b float64, z []float64) (n int) {
	n = len(y) &^ (dotLanes - 1)
	switch {
	case useAVX512:
		subScaled64AVX512(y[:n], a, x, b, z)
	case useAVX2:
		subScaled64AVX2(y[:n], a, x, b, z)
	default:
		return 0
	}
	return n
}
