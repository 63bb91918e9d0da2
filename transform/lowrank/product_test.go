package lowrank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestProduct compares with the singular values of the product, formed.
func TestProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, c := range []struct {
		r, m, n int
		steep   float64 // factor between rows
		twins   bool    // the last row is the first
	}{{4, 30, 20, 1, false}, {16, 100, 300, 1, false}, {7, 5, 60, 1, false}, {12, 80, 80, 0.1, false}, {6, 40, 50, 1, true}, {1, 3, 2, 1, false}, {3, 1, 9, 1, false}} {
		t.Run(fmt.Sprintf("%d/%dx%d/%g/%v", c.r, c.m, c.n, c.steep, c.twins), func(t *testing.T) {
			p := &Product{c.r, c.m, c.n, make([]float64, c.r*c.m), make([]float64, c.r*c.n)}
			for i := range p.L {
				p.L[i] = rng.NormFloat64() * math.Pow(c.steep, float64(i/c.m))
			}
			for i := range p.R {
				p.R[i] = rng.NormFloat64()
			}
			if c.twins {
				copy(p.L[(c.r-1)*c.m:], p.L[:c.m])
			}
			dense := make([]float64, c.m*c.n)
			for k := range c.r {
				for i := range c.m {
					axpy64(dense[i*c.n:][:c.n], p.L[k*c.m+i], p.R[k*c.n:][:c.n])
				}
			}
			norm2 := dot64(dense, dense)
			if got := p.Inner(p); math.Abs(got-norm2) > 1e-12*norm2 {
				t.Errorf("Inner = %g, want %g", got, norm2)
			}
			values, u, v := p.Decompose()
			for k, s := range values {
				for i := range c.m {
					axpy64(dense[i*c.n:][:c.n], -s*u[k*c.m+i], v[k*c.n:][:c.n])
				}
				if k > 0 && s > values[k-1] {
					t.Errorf("values not in order: %v", values)
				}
				for j := range k {
					if x := dot64(v[k*c.n:][:c.n], v[j*c.n:][:c.n]); s > 1e-12*values[0] && math.Abs(x) > 1e-12 {
						t.Errorf("right vectors %d and %d: product %g", k, j, x)
					}
				}
			}
			if rest := dot64(dense, dense); rest > 1e-24*norm2 {
				t.Errorf("the decomposition leaves %g of %g", rest, norm2)
			}
		})
	}
}
