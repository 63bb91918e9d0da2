package kernels

import "math"

// The definitions of the codes of values, a byte each.

func nf4LevelsGeneric(levels []uint8, x []float32, inverse float32) {
	levels = levels[:len(x)]
	for i, v := range x {
		levels[i] = nf4Code(v * inverse)
	}
}

// e2m1LevelsGeneric gives each value the code that is nearest, half being half of the
// scale.
func e2m1LevelsGeneric(levels []uint8, x []float32, half float32) {
	var middle [7]uint32
	for j, m := range e2m1Middles {
		middle[j] = math.Float32bits(m * half)
	}
	levels = levels[:len(x)]
	for i, v := range x {
		levels[i] = e2m1Code(v, &middle)
	}
}

func affineLevelsGeneric(levels []uint8, x []float32, scale, bias, high float32) {
	levels = levels[:len(x)]
	for i, v := range x {
		levels[i] = uint8(roundLimited((v-bias)/scale, 0, high))
	}
}

func limitedLevelsGeneric(levels []uint8, x []float32, low, high, offset float32) {
	levels = levels[:len(x)]
	for i, v := range x {
		levels[i] = uint8(roundLimited(v, low, high) + int32(offset))
	}
}

// roundLimited limits v to [low, high], within ±2²¹, and rounds it to nearest even. NaN
// becomes low.
func roundLimited(v, low, high float32) int32 {
	if !(v > low) {
		v = low
	}
	if v > high {
		v = high
	}
	const magic = 3 << 22 // has no room for fractions of what is added to it
	return int32(math.Float32bits(v+magic)) - 0x4b400000
}

func divideGeneric(dst, x []float32, s float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v / s
	}
}

func extremesGeneric(x []float32) (low, high float32) {
	low, high = x[0], x[0]
	for _, v := range x[1:] {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	return low, high
}
