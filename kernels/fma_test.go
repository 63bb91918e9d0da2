package kernels

import (
	"math"
	"math/big"
	"testing"
)

// fmaCase is a multiply-add whose rounding is hard.
type fmaCase struct{ x, y, z float32 }

// fmaCases are sums that rounding to float64 on the way turns into ties: a
// product with bits far below, or just short of, half of the last place of the
// addend. Some results are subnormal, where the place of the tie is another.
func fmaCases() []fmaCase {
	one := float32(1)
	eps := float32(0x1p-23)
	cases := []fmaCase{
		{0x1p-12 + 0x1p-35, 0x1p-12, one},                // just above half an ulp of 1
		{0x1p-13, 0x1p-11 - 0x1p-34, one},                // just below
		{1 + eps, 0x1p-24, one},                          // above
		{1 - eps/2, 0x1p-24, one},                        // below
		{0x1p-24, 1, one},                                // a tie
		{0x1p-24, 1, one + eps},                          // a tie to the other side
		{0x1p-75 + 0x1p-98, 0x1p-75, 0x1p-127},           // half the smallest subnormal and a little
		{0x1p-75 - 0x1p-98, 0x1p-75, 0x1p-127},           // and a little less
		{0x1p-75, 0x1p-75, 0x1p-127},                     // a subnormal tie
		{0x1p-75, 0x1p-75 + 0x1p-98, 0},                  // rounds to the smallest
		{0x1p-100, 0x1p-100, 0},                          // to zero
		{0x1p-100, -0x1p-100, 0},                         // to -0
		{0x1p-100, 0x1p-100, 0x1p-126},                   // is lost
		{0x1p-100, -0x1p-100, -0x1.fffffep127},           // is lost
		{0x1p100, 0x1p27, 0x1.fffffep127},                // overflows
		{0x1.fffffep127, 2, -0x1.fffffep127},             // does not
		{0x1.fffffep127, one, 0x1p103},                   // tie to infinity
		{0x1.fffffep127, one, 0x1.fffffep102},            // just no overflow
		{1 + eps, 1 + eps, -(1 + 2*eps)},                 // what is left of a product
		{0x1.000002p-100, 0x1.000002p-30, -0x1.8p-127},   // subnormal remainder
		{3, 0x1.555556p-2, -1},                           // exact remainder
		{0x1p-126, 0x1p-1, 0x1p-149},                     // exact subnormal
		{0x1.8p-75, 0x1p-75, -0x1p-149},                  // cancels to a subnormal tie
		{float32(math.Inf(1)), 0, 1},                     // NaN
		{float32(math.Inf(1)), 1, float32(math.Inf(-1))}, // NaN
		{float32(math.Inf(1)), 1, 1},
		{0, -1, 0},
	}
	r := newRand(4)
	near := func() float32 { // few bits set, so that ties are common
		m := 1 + math.Ldexp(float64(r.IntN(3)-1), -r.IntN(24))
		return float32(math.Copysign(math.Ldexp(m, r.IntN(52)-26), float64(r.IntN(2))-0.5))
	}
	for range 200000 {
		c := fmaCase{near(), near(), near()}
		switch r.IntN(4) {
		case 0: // around the least normal number
			c.x, c.y, c.z = c.x*0x1p-70, c.y*0x1p-70, c.z*0x1p-126
		case 1:
			x := make([]float32, 3)
			fillRandom(r, x)
			c = fmaCase{x[0], x[1], x[2]}
		}
		cases = append(cases, c)
	}
	return cases
}

// exactFMA computes x·y+z with as many bits as it needs and rounds once.
func exactFMA(c fmaCase) float32 {
	for _, v := range []float32{c.x, c.y, c.z} {
		if v != v || math.IsInf(float64(v), 0) {
			return oneNaN(float32(float64(c.x)*float64(c.y) + float64(c.z)))
		}
	}
	exact := func(v float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(v)) }
	sum := exact(c.x)
	sum.Mul(sum, exact(c.y)).Add(sum, exact(c.z))
	if sum.Sign() == 0 { // the sign of a sum that is zero: that of IEEE arithmetic
		return float32(float64(c.x)*float64(c.y) + float64(c.z))
	}
	return float32(roundBig(sum, 24, -126, 127))
}

func TestFMA32(t *testing.T) {
	for _, c := range fmaCases() {
		if got, want := FMA32(c.x, c.y, c.z), exactFMA(c); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("FMA32(%x, %x, %x) = %x, want %x", c.x, c.y, c.z, got, want)
		}
	}
}

// TestGemmHardCases puts the same cases through the instructions that Gemm uses.
func TestGemmHardCases(t *testing.T) {
	cases := fmaCases()
	eachImpl(t, func(t *testing.T) {
		for _, c := range cases {
			got := []float32{c.z}
			Gemm(got, 1, []float32{c.x}, 1, []float32{c.y}, 1, 1, 1, 1)
			if want := FMA32(c.x, c.y, c.z); math.Float32bits(got[0]) != math.Float32bits(want) {
				t.Fatalf("Gemm of [%x] [%x] + [%x] = %x, want %x", c.x, c.y, c.z, got[0], want)
			}
		}
	})
}
