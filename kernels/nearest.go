package kernels

import "math"

// nearestInt rounds x to the nearest integer, ties to even, for |x| < 2^22 - 1/2. The
// reference quantizers round by adding 1.5·2^23, and so does this: larger values
// wrap around, and callers clamp them. NaN gives 0. The argument is rounded first: a
// product in it must not be fused with the sum here.
func nearestInt(x float32) int32 {
	if x != x {
		return 0 // not what its payload, which depends on the CPU, would give
	}
	return int32(math.Float32bits(float32(x)+0x1.8p23)&0x7fffff) - 0x400000
}

// nearestLevel is nearestInt clamped to lo..hi.
func nearestLevel(x float32, lo, hi int32) int32 {
	return min(max(nearestInt(x), lo), hi)
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// sqrt32 is the correctly rounded square root: the float64 root of a float32,
// rounded once more, is.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// absMax returns the first x[i] of the greatest magnitude and that magnitude.
// NaNs are passed over; if there is nothing else, or only zeros, it returns 0, 0.
func absMax(x []float32) (value, magnitude float32) {
	for _, v := range x {
		if a := abs32(v); a > magnitude {
			value, magnitude = v, a
		}
	}
	return value, magnitude
}

// greatest returns the greatest x[i], or 0 if none is positive.
func greatest(x []float32) (g float32) {
	for _, v := range x {
		if v > g {
			g = v
		}
	}
	return g
}

// sumSquares32 returns Σx², added in order.
func sumSquares32(x []float32) (s float32) {
	for _, v := range x {
		s += float32(v * v)
	}
	return s
}

// truncate drops the fraction of x. What does not fit in 32 bits gives 0.
func truncate(x float32) int32 {
	if !(abs32(x) < 1<<31) {
		return 0
	}
	return int32(x)
}

// round rounds x to the nearest integer, ties away from zero. What does not fit in
// 32 bits gives 0.
func round(x float32) int32 { return truncate(float32(math.Round(float64(x)))) }
