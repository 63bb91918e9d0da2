package kernels

import "math"

func addScaledGeneric(y []float32, a float32, x []float32) {
	for i, v := range x {
		y[i] = canonical(y[i] + float32(a*v))
	}
}

func scaleGeneric(y []float32, a float32) {
	for i, v := range y {
		y[i] = canonical(a * v)
	}
}

func subGeneric(dst, x, y []float32) {
	for i := range dst {
		dst[i] = canonical(x[i] - y[i])
	}
}

// maxAbsDiffGeneric compares bits: without the sign they are in the order of the
// magnitudes, with every NaN above infinity.
func maxAbsDiffGeneric(x, y []float32) float32 {
	var max uint32
	for i, v := range x {
		if u := math.Float32bits(v-y[i]) &^ f32Sign; u > max {
			max = u
		}
	}
	return canonical(math.Float32frombits(max))
}
