package kernels

import (
	"fmt"
	"math"
	"testing"
)

// TestFitInt4 compares every implementation with the generic code bit by bit, and that
// with sums in float64, at every length.
func TestFitInt4(t *testing.T) {
	all := shrinkInput(5, 300)
	eachImpl(t, func(t *testing.T) {
		for n := range all {
			x := all[len(all)-n:]
			for _, s := range []float32{1e-30, 0.01, 0.125, 0.3, 1, 1e20} {
				failure, xq, qq := FitInt4(x, s)
				a, b, c := fitInt4Generic(x, s)
				if bitsOf([]float32{failure, xq, qq}) != bitsOf([]float32{a, b, c}) {
					t.Fatalf("FitInt4 of %d values with %v = %v, %v, %v, want %v, %v, %v", n, s, failure, xq, qq, a, b, c)
				}
				var want [3]float64
				for _, v := range x {
					q := math.RoundToEven(min(max(float64(v*(1/s)), -8), 7))
					d := float64(v) - float64(s)*q
					want[0], want[1], want[2] = want[0]+d*d, want[1]+float64(v)*q, want[2]+q*q
				}
				for i, got := range []float32{failure, xq, qq} {
					if e := math.Abs(float64(got) - want[i]); !(e <= 1e-4*math.Abs(want[i])+1e-6*want[0]) && !math.IsInf(float64(got), 0) {
						t.Fatalf("sum %d of %d values with %v is %v, want %v", i, n, s, got, want[i])
					}
				}
			}
		}
	})
}

// TestFitE2M1 compares every implementation with the generic code bit by bit, and that
// with the codes that are made of the values.
func TestFitE2M1(t *testing.T) {
	all := shrinkInput(6, 300)
	codes, y := make([]byte, len(all)), make([]float32, len(all))
	eachImpl(t, func(t *testing.T) {
		for n := range all {
			x := all[len(all)-n:]
			for _, s := range []float32{0, 1e-44, 1e-30, 0.01, 0.125, 0.3, 1, 1e20} {
				got := FitE2M1(x, s)
				if a := fitE2M1Generic(x, s); math.Float32bits(got) != math.Float32bits(a) {
					t.Fatalf("FitE2M1 of %d values with %v = %v, want %v", n, s, got, a)
				}
				if n == 0 {
					continue
				}
				EncodeE2M1Groups(codes[:(n+1)/2], x, []float32{s}, n+n%2)
				DecodeF4(y[:n], codes[:(n+1)/2])
				var want float64
				for i, v := range x {
					d := float64(v) - float64(s)*float64(y[i])
					want += d * d
				}
				if !(math.Abs(float64(got)-want) <= 1e-5*want) && !math.IsInf(float64(got), 0) {
					t.Fatalf("FitE2M1 of %d values with %v is %v, want %v", n, s, got, want)
				}
			}
		}
	})
}

func BenchmarkFitInt4(b *testing.B) {
	for _, group := range []int{32, 128} {
		x := shrinkInput(5, group)
		b.Run(fmt.Sprint(group), func(b *testing.B) {
			eachImplB(b, func(b *testing.B) {
				b.SetBytes(4 * int64(group))
				for b.Loop() {
					FitInt4(x, 0.1)
				}
			})
		})
	}
}
