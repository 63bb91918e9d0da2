//go:build !purego

package kernels

func dot(x, y []float32) float64 {
	var lane [dotLanes]float64
	n := 0
	switch {
	case useAVX512:
		n = len(x) &^ (dotLanes - 1)
		dotAVX512(&lane, x[:n], y)
	case useAVX2:
		n = len(x) &^ (dotLanes - 1)
		dotAVX2(&lane, x[:n], y)
	default:
		return dotGeneric(x, y)
	}
	addProducts(&lane, x[n:], y[n:])
	return sumLanes(&lane)
}

func sumSquares(x []float32) float64 {
	var lane [dotLanes]float64
	n := 0
	switch {
	case useAVX512:
		n = len(x) &^ (dotLanes - 1)
		sumSquaresAVX512(&lane, x[:n])
	case useAVX2:
		n = len(x) &^ (dotLanes - 1)
		sumSquaresAVX2(&lane, x[:n])
	default:
		return dotGeneric(x, x)
	}
	addProducts(&lane, x[n:], x[n:])
	return sumLanes(&lane)
}
