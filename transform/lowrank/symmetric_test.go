package lowrank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestEigen(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fill := map[string]func(i, j, n int) float64{
		"random":         func(i, j, n int) float64 { return rng.NormFloat64() },
		"zero":           func(i, j, n int) float64 { return 0 },
		"identity":       func(i, j, n int) float64 { return b2f(i == j) * 3 },
		"ones":           func(i, j, n int) float64 { return 1 },
		"blocks":         func(i, j, n int) float64 { return b2f(i/3 == j/3) },
		"graded":         func(i, j, n int) float64 { return math.Pow(10, -float64(i+j)/4) * rng.NormFloat64() },
		"diagonal":       func(i, j, n int) float64 { return b2f(i == j) * float64(i%4) },
		"noisy identity": func(i, j, n int) float64 { return b2f(i == j) + 1e-15*rng.NormFloat64() },
		"huge":           func(i, j, n int) float64 { return 1e200 * rng.NormFloat64() },
		"tiny":           func(i, j, n int) float64 { return 1e-200 * rng.NormFloat64() },
	}
	for name, f := range fill {
		for _, n := range []int{1, 2, 3, 7, 40, 131} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				a := make([]float64, n*n)
				for i := range n {
					for j := range i + 1 {
						a[i*n+j] = f(i, j, n)
						a[j*n+i] = a[i*n+j]
					}
				}
				checkEigen(t, a, n)
			})
		}
	}
}

// checkEigen compares A·x with λ·x, the vectors with an orthonormal system, and
// the sum and the squares of the eigenvalues with those of the matrix.
func checkEigen(t *testing.T, a []float64, n int) {
	values, vectors := eigen(append([]float64(nil), a...), n, n)
	var norm, trace, sum float64
	for i, v := range a {
		norm = max(norm, math.Abs(v))
		if i%(n+1) == 0 {
			trace += v
		}
	}
	norm *= float64(n)
	for i, v := range values {
		sum += v
		if i > 0 && v > values[i-1] {
			t.Fatalf("eigenvalues not in order: %v", values)
		}
	}
	if math.Abs(sum-trace) > 1e-13*norm {
		t.Errorf("the eigenvalues add up to %g, the trace is %g", sum, trace)
	}
	for i := range n {
		x := vectors[i*n:][:n]
		for j := range n {
			if r := math.Abs(dot64(a[j*n:][:n], x) - values[i]*x[j]); r > 1e-13*norm {
				t.Fatalf("vector %d: residual %g in row %d, norm %g", i, r, j, norm)
			}
			if r := math.Abs(dot64(x, vectors[j*n:][:n]) - b2f(i == j)); r > 1e-13*float64(n) {
				t.Fatalf("vectors %d and %d: product off by %g", i, j, r)
			}
		}
	}
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func BenchmarkEigen(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{80, 192, 320, 768} {
		a := make([]float64, n*n)
		for i := range a {
			a[i] = rng.NormFloat64()
		}
		w := make([]float64, n*n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				copy(w, a)
				eigen(w, n, n/3)
			}
		})
		b.Run(fmt.Sprint("values/", n), func(b *testing.B) {
			for b.Loop() {
				copy(w, a)
				tridiagonalize(w, n).values()
			}
		})
	}
}
