package kernels

import (
	"math"
	"math/rand/v2"
)

// specials are the float32 where conversions and arithmetic go wrong first, by
// their bits, both signs: zeros, subnormals, the ends of ranges, NaNs, and the
// halfway points of every 16- and 8-bit format with both neighbors.
var specials = func() []float32 {
	bits := []uint32{
		0, 1, 2, 0x7fff, 0x8000, 0x8001, 0x18000, 0x7fffff, 0x800000, 0x800001, // subnormal and about
		0x7f7fffff, 0x7f800000, // greatest finite, infinity
		0x7f800001, 0x7f808000, 0x7fa00000, 0x7fbfffff, // signaling NaNs
		0x7fc00000, 0x7fc00001, 0x7fc12345, 0x7fffffff, // quiet NaNs
		0x3f800000, 0x3fc00000, 0x40490fdb,
	}
	for _, v := range []float64{
		math.Ldexp(1, -25), math.Ldexp(1, -24), math.Ldexp(1, -14), 65504, 65520, // F16
		math.Ldexp(1, -134), math.Ldexp(1, -133), // BF16
		math.Ldexp(1, -10), math.Ldexp(1, -9), math.Ldexp(1, -6), 448, 464, 480, // F8_E4M3
		math.Ldexp(1, -17), math.Ldexp(1, -16), 57344, 61440, // F8_E5M2
		math.Ldexp(1, -11), 240, 248, math.Ldexp(1, -18), // the FNUZ forms
	} {
		u := math.Float32bits(float32(v))
		bits = append(bits, u-1, u, u+1)
	}
	for _, halfway := range []uint32{0x3f808000, 0x3f818000, 0x3f801000, 0x3f803000, 0x3f880000, 0x3f980000, 0x3f900000, 0x7f7f8000} {
		bits = append(bits, halfway-1, halfway, halfway+1)
	}
	var x []float32
	for _, u := range bits {
		x = append(x, math.Float32frombits(u), math.Float32frombits(u|f32Sign))
	}
	return x
}()

// fillRandom fills x with numbers of all kinds: any bits, sums that cancel, and specials.
func fillRandom(r *rand.Rand, x []float32) {
	for i := range x {
		switch r.IntN(4) {
		case 0:
			x[i] = math.Float32frombits(r.Uint32())
		case 1:
			x[i] = specials[r.IntN(len(specials))]
		default:
			x[i] = float32(r.NormFloat64())
		}
	}
}

// fillNormal fills x with normally distributed numbers.
func fillNormal(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func equalBits(x, y []float32) bool { return firstDifference(x, y) < 0 }

func firstDifference(x, y []float32) int {
	for i := range x {
		if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
			return i
		}
	}
	return -1
}
