//go:build !purego

package kernels

// levelLanes says how to quantize each lane: the level of x is (x+m)/d, or
// (x-base)·inverse where d is 0.
type levelLanes struct {
	d, m, inverse, base perLane
}

// set fills in what is stored for a lane. An infinite half float makes it wild.
func (l *levelLanes) set(lane int, d, m float32) (wild uint32) {
	l.d[lane], l.m[lane] = d, m
	if !(abs32(d) <= 0x1.fffffep127 && m <= 0x1.fffffep127) {
		return 1 << lane
	}
	return 0
}

// quantize rounds the levels of n columns, clamps them to lo..hi, counts them from lo,
// and packs four columns into each column of packed. They are 0 where both d and inverse
// are.
func (l *levelLanes) quantize(packed *uint32, x *float32, n int, lo, hi float32, lanes int) {
	if lanes == 16 {
		levelsAVX512(packed, x, &l.d[0], n, lo, hi)
	} else {
		levelsAVX2(packed, x, &l.d[0], n, lo, hi)
	}
}

// levelsIQ4 sets packed to nearestIQ4(inverse·x) for n columns, four of them in each
// column of packed.
func levelsIQ4(packed *uint32, x *float32, inverse *perLane, n, lanes int) {
	if lanes == 16 {
		levelsIQ4AVX512(packed, x, inverse, n)
	} else {
		levelsIQ4AVX2(packed, x, inverse, n)
	}
}

// wildReciprocal returns reciprocal(x), and the lane's bit if that is not finite.
func wildReciprocal(x float32, lane int) (inverse float32, wild uint32) {
	inverse = reciprocal(x)
	if !(abs32(inverse) <= 0x1.fffffep127) {
		wild = 1 << lane
	}
	return inverse, wild
}
