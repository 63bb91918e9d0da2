package kernels

// Dot returns the sum of the products of corresponding elements, in float64:
//
//	var lane [16]float64
//	for i := range x {
//		lane[i%16] += float64(x[i]) * float64(y[i])
//	}
//	for n := 8; n > 0; n /= 2 {
//		for j := range n {
//			lane[j] += lane[j+n]
//		}
//	}
//	return lane[0]
//
// The products are exact, so that fusing them with the sum changes nothing, and
// the order of the sums is part of the definition. A result that is NaN has the
// bits of [math.NaN].
func Dot(x, y []float32) float64 {
	checkSame("Dot", len(x), len(y))
	return dot(x, y)
}

// SumSquares returns the sum of the squares of x, which is [Dot] of x and x.
func SumSquares(x []float32) float64 { return sumSquares(x) }
