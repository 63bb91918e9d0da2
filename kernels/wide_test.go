package kernels

import (
	"math"
	"slices"
	"testing"
	"unsafe"
)

// TestWide compares the float64 kernels with their definition written once more.
func TestWide(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		r := newRand(5)
		for n := range 131 {
			for align := range 2 {
				x, y, z := make([]float64, n+align)[align:], make([]float64, n+align)[align:], make([]float64, n)
				for i := range n {
					x[i], y[i], z[i] = math.Ldexp(r.NormFloat64(), r.IntN(60)), r.NormFloat64(), r.NormFloat64()
				}
				a, b := r.NormFloat64(), r.NormFloat64()
				added, less, lane := slices.Clone(y), slices.Clone(y), make([]float64, 16)
				for i := range x {
					lane[i%16] += float64(x[i] * z[i])
					added[i] += float64(a * x[i])
					less[i] -= float64(a*x[i]) + float64(b*z[i])
				}
				for ; len(lane) > 1; lane = lane[:len(lane)/2] {
					for j := range len(lane) / 2 {
						lane[j] += lane[j+len(lane)/2]
					}
				}
				got := slices.Clone(y)
				if sum := AddScaledDot64(got, a, x, z); sum != lane[0] || !slices.Equal(got, added) {
					t.Fatalf("AddScaledDot64 of %d numbers: %x, want %x; y is right: %v", n, sum, lane[0], slices.Equal(got, added))
				}
				SubScaled64(y, a, x, b, z)
				if !slices.Equal(y, less) {
					t.Fatalf("SubScaled64 of %d numbers differs", n)
				}
			}
		}
	})
}

// doublesOf returns b as float64 numbers.
func doublesOf(b []byte) []float64 {
	if len(b) < 8 {
		return nil
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(&b[0])), len(b)/8)
}
