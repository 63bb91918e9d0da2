package kernels

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/x448/float16"
)

// allCodes16 holds every 16-bit pattern, little-endian.
func allCodes16() []byte {
	b := make([]byte, 2<<16)
	for i := range 1 << 16 {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(i))
	}
	return b
}

func TestDecodeF16All(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		got := make([]float32, 1<<16)
		DecodeF16(got, allCodes16())
		for i, v := range got {
			want := float16.Frombits(uint16(i)).Float32()
			if math.Float32bits(v) != math.Float32bits(want) {
				t.Fatalf("DecodeF16(%#04x) = %#08x, want %#08x", i, math.Float32bits(v), math.Float32bits(want))
			}
		}
	})
}

func TestEncodeF16(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		x := halfwayPoints(func(code uint16) float32 { return float16.Frombits(code).Float32() })
		got := make([]byte, 2*len(x))
		EncodeF16(got, x)
		for i, v := range x {
			g, want := binary.LittleEndian.Uint16(got[2*i:]), float16.Fromfloat32(v).Bits()
			if g != want {
				t.Fatalf("EncodeF16(%#08x) = %#04x, want %#04x", math.Float32bits(v), g, want)
			}
		}
	})
}

// halfwayPoints returns the values of all 16-bit codes, the float32 halfway to the
// next code, both neighbors of each, and the specials.
func halfwayPoints(value func(uint16) float32) []float32 {
	x := append([]float32(nil), specials...)
	for i := range 1 << 16 {
		u, next := math.Float32bits(value(uint16(i))), math.Float32bits(value(uint16(i+1)))
		for _, b := range []uint32{u, u + (next-u)/2} {
			x = append(x, math.Float32frombits(b-1), math.Float32frombits(b), math.Float32frombits(b+1))
		}
	}
	return x
}
