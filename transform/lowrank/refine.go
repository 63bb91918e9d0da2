package lowrank

import (
	"context"
	"math"

	"github.com/loratool/loratool/kernels"
)

// M = DᵀD squares the singular values, so that in float32 those below about
// 3·10⁻⁴ of the largest drown in its rounding errors. That matters only where
// they are most of the error, and then a step without squaring puts it right:
// L = D·V by rows, then LᵀD for an orthonormalized L, each of them accurate to
// 10⁻⁷ of the largest singular value.

// steepBelow is the share of ‖D‖² below which what is not captured calls for it.
const steepBelow = 1e-4

// refinements is how many such steps are made. One shrinks what is wrong by the
// square of the ratio of the first singular value left out to the last wanted.
const refinements = 2

// refine improves the vectors, of which there are more than the rank, and the
// singular values. The vectors are right ones afterwards.
func (dec *Decomposition) refine(ctx context.Context, p pass) error {
	n := len(dec.Vectors) / p.cols
	if dec.Left {
		n = len(dec.Vectors) / p.rows
	}
	f := &factoring{pass: p, dec: dec, r: n, o: FactorOptions{Left: discard{}}}
	if err := f.project(ctx); err != nil {
		return err
	}
	// Z = X·LᵀD with X·LᵀL·Xᵀ = I.
	x, kept := f.whiten()
	z := f.combineProducts(x, kept)
	values, vectors := eigen(p.team.selfProducts(z, kept), kept, kept)
	for kept > 0 && values[kept-1] <= 1e-12*values[0] {
		kept-- // no digit of these is right
	}
	for i, v := range values[:kept] {
		for j := range len(values) {
			vectors[i*len(values)+j] /= math.Sqrt(v)
		}
	}
	f.products, f.r = z, len(values)
	dec.Vectors = f.combineProducts(vectors, kept)
	dec.Values, dec.Left = roots(values[:kept]), false
	return nil
}

// whiten returns X of shape [kept, r] with X·LᵀL·Xᵀ = I; directions in which the
// columns of L depend on each other are left out.
func (f *factoring) whiten() (x []float64, kept int) {
	r := f.r
	a, unit := f.unitSelf()
	values, vectors := eigen(a, r, r)
	for ; kept < r && values[kept] > independent*values[0]; kept++ {
		for j := range r {
			vectors[kept*r+j] *= unit[j] / math.Sqrt(values[kept])
		}
	}
	return vectors[:kept*r], kept
}

// combineProducts returns C·products for C of shape [rows, r].
func (f *factoring) combineProducts(c []float64, rows int) []float32 {
	coef := make([]float32, len(c))
	for i, v := range c {
		coef[i] = float32(v)
	}
	out := make([]float32, rows*f.cols)
	f.team.Ranges(f.cols, 64, func(lo, hi int) {
		kernels.Gemm(out[lo:], f.cols, coef, f.r, f.products[lo:], f.cols, rows, hi-lo, f.r)
	})
	return out
}

// discard is a store for a factor that is not wanted.
type discard struct{}

func (discard) WriteFloats([]float32, int, int) error                       { return nil }
func (discard) ReadFloats(context.Context, []float32, int, int) (err error) { return nil }
