//go:build !purego

package kernels

// dotNEON adds the products to the partial sums, for len(x) a multiple of 16.
//
//go:noescape
func dotNEON(lane *[16]float64, x, y []float32)

func dot(x, y []float32) float64 {
	var lane [dotLanes]float64
	n := 0
	if useNEON {
		n = len(x) &^ (dotLanes - 1)
		dotNEON(&lane, x[:n], y)
	}
	addProducts(&lane, x[n:], y[n:])
	return sumLanes(&lane)
}

func sumSquares(x []float32) float64 { return dot(x, x) }
