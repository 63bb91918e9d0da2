package kernels

import (
	"math"
	"slices"
	"testing"
)

// eachAvailable runs f with every implementation the CPU has, alone.
func eachAvailable(t *testing.T, f func(name string)) {
	defer Use(Implementations()...)
	for _, im := range implementations {
		if im.available {
			if err := Use(im.name); err != nil {
				t.Fatal(err)
			}
			f(im.name)
		}
	}
}

// FuzzVector takes the bytes as two vectors and a factor.
func FuzzVector(f *testing.F) {
	f.Add(bytesOf(specials), float32(2))
	f.Add(bytesOf(slices.Repeat(specials, 3)), float32(math.Inf(1)))
	f.Fuzz(func(t *testing.T, b []byte, a float32) {
		n := len(b) / 8
		x, y := make([]float32, n), make([]float32, n)
		DecodeF32(x, b[:4*n])
		DecodeF32(y, b[4*n:8*n])
		first := firstNonFiniteGeneric(x)
		above, below := countOutsideGeneric(x, 0x33000000, 0x477ff000)
		eachAvailable(t, func(name string) {
			checkVector(t, x, y, a)
			checkDot(t, "Dot", Dot(x, y), x, y)
			checkDot(t, "SumSquares", SumSquares(x), x, x)
			if got := FirstNonFinite(x); got != first {
				t.Fatalf("%s: FirstNonFinite(%v) = %d, want %d", name, x, got, first)
			}
			if o, u := CountF16(x); o != above || u != below {
				t.Fatalf("%s: CountF16(%v) = %d, %d, want %d, %d", name, x, o, u, above, below)
			}
		})
	})
}

// FuzzGemm takes the bytes as C, A and B of a shape.
func FuzzGemm(f *testing.F) {
	f.Add(bytesOf(slices.Repeat(specials, 10)), uint8(7), uint8(33))
	f.Add(bytesOf(slices.Repeat(specials, 3)), uint8(12), uint8(2))
	f.Fuzz(func(t *testing.T, bytes []byte, rows, cols uint8) {
		m, n := int(rows), int(cols)
		x := make([]float32, len(bytes)/4)
		DecodeF32(x, bytes[:4*len(x)])
		if m+n == 0 || len(x) < m*n {
			return
		}
		k := (len(x) - m*n) / (m + n)
		c, a, b := x[:m*n], x[m*n:][:m*k], x[m*n+m*k:][:k*n]
		want := slices.Clone(c)
		gemmGeneric(want, n, operand{a, k, 1}, operand{b, n, 1}, m, n, k)
		eachAvailable(t, func(name string) {
			got := slices.Clone(c)
			Gemm(got, n, a, k, b, n, m, n, k)
			if i := firstDifference(got, want); i >= 0 {
				t.Fatalf("%s: Gemm of m=%d n=%d k=%d: element %d = %x, want %x", name, m, n, k, i, got[i], want[i])
			}
		})
	})
}
