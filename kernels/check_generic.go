package kernels

import "math"

func firstNonFiniteGeneric(x []float32) int {
	for i, v := range x {
		if math.Float32bits(v)&f32Inf == f32Inf {
			return i
		}
	}
	return -1
}

// countOutsideGeneric counts the finite x of magnitude high and above, and the
// nonzero ones of magnitude low and below. Magnitudes are given by their bits,
// which are in the same order as the numbers.
func countOutsideGeneric(x []float32, low, high uint32) (above, below int) {
	for _, v := range x {
		u := math.Float32bits(v) &^ f32Sign
		if u-high < f32Inf-high {
			above++
		}
		if u-1 < low {
			below++
		}
	}
	return above, below
}
