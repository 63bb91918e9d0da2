package kernels

// tritsGeneric sets levels to x·inverse, which is in -1..1, rounded to an integer, plus
// 1. For blocks so small that inverse is infinite it sets them to 1.
func tritsGeneric(levels []uint8, x []float32, inverse float32) {
	for i, v := range x[:len(levels)] {
		v *= inverse
		var level uint8 = 1
		switch {
		case abs32(v) > maxFloat32:
		case v >= 0.5:
			level = 2
		case v <= -0.5:
			level = 0
		}
		levels[i] = level
	}
}

// twoBitsGeneric sets levels to x·inverse, rounded, plus 1. For blocks so small that
// inverse is infinite they are 0: there the reference quantizer's conversion to an
// integer overflows.
func twoBitsGeneric(levels []uint8, x []float32, inverse float32) {
	for i, v := range x[:len(levels)] {
		v *= inverse
		var level uint8
		switch {
		case v >= 0.5 && v <= maxFloat32:
			level = 2
		case v > -0.5 && v < 0.5:
			level = 1
		}
		levels[i] = level
	}
}
