package kernels

import "math"

// FMA32 returns x·y+z with a single rounding, to nearest even: the fused
// multiply-add of float32. A result that is NaN has the bits 0x7fc00000.
//
// Rounding [math.FMA] of the operands to float32 is not the same, since it rounds
// twice.
func FMA32(x, y, z float32) float32 {
	// The product of two float32 is exact in float64, the sum is rounded.
	s := float64(float64(x)*float64(y)) + float64(z)
	// Rounding s again goes wrong only if s lies halfway between two float32. A
	// normal float32 keeps all but the last 29 bits of a float64's mantissa.
	u := math.Float64bits(s)
	normal := u>>52&0x7ff-(1023-126) < 254
	if normal && u&(1<<29-1) != 1<<28 {
		return float32(s)
	}
	return fma32Careful(x, y, z, s)
}

// fma32Careful rounds the sum s = x·y+z to odd before it rounds to float32; see
// oddF32 for why that is right.
func fma32Careful(x, y, z float32, s float64) float32 {
	if s != s {
		return math.Float32frombits(f32NaN)
	}
	if math.IsInf(s, 0) {
		return float32(s) // an operand was infinite: these sums can't overflow
	}
	// What the rounding of s lost, exactly (Knuth's TwoSum).
	p, c := float64(float64(x)*float64(y)), float64(z)
	rest := s - p
	lost := (p - (s - rest)) + (c - rest)
	if u := math.Float64bits(s); lost != 0 && u&1 == 0 {
		if (lost > 0) == (s > 0) {
			u++
		} else {
			u--
		}
		s = math.Float64frombits(u)
	}
	return float32(s)
}
