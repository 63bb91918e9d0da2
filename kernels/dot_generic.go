package kernels

import "math"

// dotLanes is the number of partial sums of a Dot: enough for two 512-bit
// registers, so that one addition need not wait for the last.
const dotLanes = 16

func dotGeneric(x, y []float32) float64 {
	var lane [dotLanes]float64
	addProducts(&lane, x, y)
	return sumLanes(&lane)
}

func addProducts(lane *[dotLanes]float64, x, y []float32) {
	for i, v := range x {
		lane[i%dotLanes] += float64(v) * float64(y[i])
	}
}

// sumLanes adds up partial sums, the second half to the first until one is left.
func sumLanes(lane *[dotLanes]float64) float64 {
	for n := dotLanes / 2; n > 0; n /= 2 {
		for j := range n {
			lane[j] += lane[j+n]
		}
	}
	if lane[0] != lane[0] {
		return math.NaN()
	}
	return lane[0]
}
