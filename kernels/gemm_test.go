package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// gemmShapes are m, n, k: every edge of the micro-kernels' tiles, shapes of
// adapters, and more than one block along each dimension.
func gemmShapes() [][3]int {
	var shapes [][3]int
	for _, m := range []int{0, 1, 2, 5, 6, 7, 12, 13, 25} {
		for _, n := range []int{0, 1, 3, 8, 15, 16, 17, 31, 32, 33, 65} {
			for _, k := range []int{0, 1, 2, 3, 8, 17} {
				shapes = append(shapes, [3]int{m, n, k})
			}
		}
	}
	return append(shapes,
		[3]int{64, 300, 16}, [3]int{3, 5, 512}, [3]int{13, 40, 300}, [3]int{150, 49, 530},
		[3]int{7, 1100, 9}, [3]int{301, 33, 70}, [3]int{1, 1, 1000})
}

// TestGemm compares all three forms with the chain of FMA32, bit by bit, in
// matrices with room between the rows that must not be touched.
func TestGemm(t *testing.T) {
	const pad = 3
	for _, s := range gemmShapes() {
		m, n, k := s[0], s[1], s[2]
		r := newRand(uint64(m*1000003 + n*1009 + k))
		a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*(n+pad))
		fillNormal(r, a)
		fillNormal(r, b)
		fillNormal(r, c)
		want := slices.Clone(c)
		for i := range m {
			for j := range n {
				for p := range k {
					want[i*(n+pad)+j] = FMA32(a[i*k+p], b[p*n+j], want[i*(n+pad)+j])
				}
			}
		}
		an, at := spread(a, m, k, pad), spread(transposed(a, m, k), k, m, pad)
		bn, bt := spread(b, k, n, pad), spread(transposed(b, k, n), n, k, pad)
		t.Run(fmt.Sprint(m, n, k), func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				for _, form := range []struct {
					name     string
					gemm     func([]float32, int, []float32, int, []float32, int, int, int, int)
					a, b     []float32
					lda, ldb int
				}{
					{"Gemm", Gemm, an, bn, k + pad, n + pad},
					{"GemmTN", GemmTN, at, bn, m + pad, n + pad},
					{"GemmNT", GemmNT, an, bt, k + pad, k + pad},
				} {
					got := slices.Clone(c)
					form.gemm(got, n+pad, form.a, form.lda, form.b, form.ldb, m, n, k)
					if i := firstDifference(got, want); i >= 0 {
						t.Fatalf("%s: row %d, column %d = %x, want %x", form.name, i/(n+pad), i%(n+pad), got[i], want[i])
					}
				}
			})
		})
	}
}

// TestGemmSpecials says that NaNs, infinities and zeros come out as the chain of
// FMA32 makes them.
func TestGemmSpecials(t *testing.T) {
	const m, n, k = 14, 50, 7
	r := newRand(5)
	a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	for range 50 {
		fillRandom(r, a)
		fillRandom(r, b)
		fillRandom(r, c)
		want := slices.Clone(c)
		gemmGeneric(want, n, operand{a, k, 1}, operand{b, n, 1}, m, n, k)
		eachImpl(t, func(t *testing.T) {
			got := slices.Clone(c)
			Gemm(got, n, a, k, b, n, m, n, k)
			if i := firstDifference(got, want); i >= 0 {
				t.Fatalf("row %d, column %d = %x (%#08x), want %x", i/n, i%n, got[i], math.Float32bits(got[i]), want[i])
			}
		})
	}
}

func TestGemmPanics(t *testing.T) {
	x := make([]float32, 100)
	for _, test := range []struct {
		name          string
		lda, ldb, ldc int
		m, n, k       int
	}{
		{"short C", 10, 10, 10, 11, 10, 10},
		{"negative k", 10, 10, 10, 10, 10, -1},
		{"overlapping rows of A", 9, 10, 10, 10, 10, 10},
		{"huge", 10, 10, math.MaxInt, 3, 10, 10},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", test.name)
				}
			}()
			Gemm(x, test.ldc, x, test.lda, x, test.ldb, test.m, test.n, test.k)
		}()
	}
}

// spread returns the matrix with pad elements of NaN between its rows.
func spread(x []float32, rows, cols, pad int) []float32 {
	var y []float32
	for i := range rows {
		y = append(y, x[i*cols:][:cols]...)
		if i < rows-1 {
			y = append(y, slices.Repeat([]float32{float32(math.NaN())}, pad)...)
		}
	}
	return y
}

func transposed(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			y[j*rows+i] = x[i*cols+j]
		}
	}
	return y
}
