package kernels

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestFirstNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	eachImpl(t, func(t *testing.T) {
		for n := range 200 {
			x := make([]float32, n)
			for i := range x {
				x[i] = math.MaxFloat32
			}
			if got := FirstNonFinite(x); got != -1 {
				t.Fatalf("FirstNonFinite of %d finite numbers = %d, want -1", n, got)
			}
			for i := n - 1; i >= 0; i-- {
				x[i] = [2]float32{nan, inf}[i%2]
				if got := FirstNonFinite(x); got != i {
					t.Fatalf("FirstNonFinite of %d numbers, the last from %d not finite, = %d", n, i, got)
				}
			}
		}
	})
}

// TestCount says that the counts are those of what the encoders do.
func TestCount(t *testing.T) {
	count := func(x []float32, encode func(float32) float32) (overflow, flushed int) {
		for _, v := range x {
			r := encode(v)
			if math.IsInf(float64(r), 0) && !math.IsInf(float64(v), 0) {
				overflow++
			}
			if r == 0 && v != 0 {
				flushed++
			}
		}
		return overflow, flushed
	}
	for _, test := range []struct {
		name   string
		count  func([]float32) (int, int)
		encode func(float32) float32
	}{
		{"CountF16", CountF16, func(v float32) float32 {
			var b [2]byte
			encodeF16Generic(b[:], []float32{v})
			var r [1]float32
			decodeF16Generic(r[:], b[:])
			return r[0]
		}},
		{"CountBF16", CountBF16, func(v float32) float32 {
			var b [2]byte
			encodeBF16Generic(b[:], []float32{v})
			return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[:])) << 16)
		}},
		{"CountF8E4M3", CountF8E4M3, func(v float32) float32 {
			if a := math.Abs(float64(v)); a > 464 { // halfway to the next power of the exponent
				return float32(math.Inf(1))
			}
			return f8E4M3.values[f8E4M3.round(v)]
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				for i := range specials {
					for n := range min(len(specials)-i, 70) {
						x := specials[i:][:n]
						o, f := test.count(x)
						wantO, wantF := count(x, test.encode)
						if o != wantO || f != wantF {
							t.Fatalf("%s(%v) = %d, %d, want %d, %d", test.name, x, o, f, wantO, wantF)
						}
					}
				}
			})
		})
	}
}
