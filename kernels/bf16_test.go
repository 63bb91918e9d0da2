package kernels

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestDecodeBF16All(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		got := make([]float32, 1<<16)
		DecodeBF16(got, allCodes16())
		for i, v := range got {
			if u := math.Float32bits(v); u != uint32(i)<<16 {
				t.Fatalf("DecodeBF16(%#04x) = %#08x, want %#08x", i, u, i<<16)
			}
		}
	})
}

// TestEncodeBF16 compares with the nearest of the two codes that enclose a number,
// found by distance in float64.
func TestEncodeBF16(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		x := halfwayPoints(func(code uint16) float32 { return math.Float32frombits(uint32(code) << 16) })
		got := make([]byte, 2*len(x))
		EncodeBF16(got, x)
		for i, v := range x {
			if g, want := binary.LittleEndian.Uint16(got[2*i:]), nearestBF16(v); g != want {
				t.Fatalf("EncodeBF16(%#08x) = %#04x, want %#04x", math.Float32bits(v), g, want)
			}
		}
	})
}

func nearestBF16(v float32) uint16 {
	u := math.Float32bits(v)
	down := uint16(u >> 16)
	switch {
	case v != v:
		return down | 1<<6
	case math.IsInf(float64(v), 0):
		return down
	}
	up := down + 1
	lo, hi := bf16Value(down), bf16Value(up)
	switch d := math.Abs(float64(v)-lo) - math.Abs(float64(v)-hi); {
	case d < 0:
		return down
	case d > 0:
		return up
	}
	return down + down&1
}

// bf16Value is the value of a code, with 2¹²⁸ for infinity, as rounding sees it.
func bf16Value(code uint16) float64 {
	if code&0x7fff == 0x7f80 {
		return math.Copysign(math.Ldexp(1, 128), float64(int16(code)))
	}
	return float64(math.Float32frombits(uint32(code) << 16))
}
