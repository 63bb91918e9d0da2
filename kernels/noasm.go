//go:build purego || !amd64

package kernels

func firstNonFinite(x []float32) int { return firstNonFiniteGeneric(x) }

func countOutside(x []float32, low, high uint32) (above, below int) {
	return countOutsideGeneric(x, low, high)
}

func addScaled(y []float32, a float32, x []float32) { addScaledGeneric(y, a, x) }
func scale(y []float32, a float32)                  { scaleGeneric(y, a) }
func sub(dst, x, y []float32)                       { subGeneric(dst, x, y) }
func maxAbsDiff(x, y []float32) float32             { return maxAbsDiffGeneric(x, y) }
func dot(x, y []float32) float64                    { return dotGeneric(x, y) }
func sumSquares(x []float32) float64                { return dotGeneric(x, x) }
