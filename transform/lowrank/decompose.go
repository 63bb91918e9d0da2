package lowrank

import (
	"context"
	"fmt"
	"math"
)

// Options say what [Decompose] computes.
type Options struct {
	Name string // of the matrix; it seeds the random numbers
	Goal Goal

	// Tolerance is how much larger the error may be than the smallest possible
	// of that rank, as a fraction. The iteration stops when its estimate of what
	// it could still gain is below it. 0 means 0.001.
	Tolerance float64

	// Norm2 is ‖D‖², if it is known; 0 means that it is to be computed.
	Norm2 float64
}

// A Decomposition is what is known of a matrix's leading singular values and
// vectors.
type Decomposition struct {
	Rows, Cols int
	Rank       int       // what the goal comes to
	Norm2      float64   // ‖D‖²
	Values     []float64 // singular values from the largest on, at least Rank of them unless D has fewer; each is at most the true one
	Steps      int       // of the iteration; 0 if the result is that of a dense method

	// BestError2 is a lower bound of the squared error of any matrix of this
	// rank. It rests on an estimate of the largest singular value outside the
	// basis, which is multiplied by a safety factor; see bound.go.
	BestError2 float64

	Left    bool      // Vectors are left ones, of length Rows; otherwise right ones
	Vectors []float32 // Rank orthonormal rows

	images []float32 // D·Vectorsᵀ, of shape [Rows, Rank], if it was kept
}

// ForgetVectors frees the vectors, and what else is as large as the matrix has
// rows or columns.
func (dec *Decomposition) ForgetVectors() { dec.Vectors, dec.images = nil, nil }

const defaultTolerance = 0.001

// Decompose returns the singular values and vectors of d that the goal asks for.
func Decompose(ctx context.Context, d Matrix, team *Team, o Options) (*Decomposition, error) {
	p := newPass(d, team)
	if o.Tolerance == 0 {
		o.Tolerance = defaultTolerance
	}
	if o.Goal.Rank == 0 {
		o.Tolerance /= 8 // the rank is counted off the estimates
	}
	if o.Norm2 == 0 {
		var err error
		if o.Norm2, err = p.norm2(ctx); err != nil {
			return nil, err
		}
	}
	dec := &Decomposition{Rows: p.rows, Cols: p.cols, Norm2: o.Norm2}
	short := min(p.rows, p.cols)
	if o.Norm2 == 0 || short == 0 {
		return dec, nil
	}
	if isSmall(p.rows, p.cols) {
		return dec, dec.dense(ctx, p, o)
	}
	return dec, dec.iterate(ctx, p, o)
}

// leftFrom is how many times as wide as tall a matrix is before the iteration
// runs on the short side at the price of reading it twice a step.
const leftFrom = 4

// maxSteps ends an iteration that does not converge; no spectrum is known that
// takes a third of it.
const maxSteps = 100

func (dec *Decomposition) iterate(ctx context.Context, p pass, o Options) error {
	k := &krylov{pass: p, name: o.Name, left: p.cols > leftFrom*p.rows, n: p.cols, norm2: o.Norm2}
	if k.left {
		k.n = p.rows
	}
	dec.Left = k.left
	short := min(p.rows, p.cols)
	b := o.Goal.blockSize(short, o.Tolerance)
	limit := o.Goal.basisLimit(k.n, b)
	k.keepImages = !k.left && o.Goal.keepsImages(p.rows, p.cols, b)
	if o.Tolerance >= tight {
		k.random = min(1, b-1)
	}
	var h history
	x := k.start(b)
	for {
		next, err := k.step(ctx, x)
		if err != nil {
			return err
		}
		dec.Steps++
		if k.size < min(o.Goal.Rank, short) {
			h = append(h, estimate{}) // too few to be of use
			x = next
			continue
		}
		t := tridiagonalize(k.dense(), k.size)
		values := t.values()
		if math.IsNaN(values[0]) || math.IsInf(values[0], 0) {
			return fmt.Errorf("lowrank: the products of this matrix overflow float32; its norm is %g", math.Sqrt(o.Norm2))
		}
		h = append(h, estimate{values, k.fresh})
		r, settled := o.Goal.rank(values, o.Norm2, short)
		// The basis has room for a random block beside all that D has.
		complete := next == nil || k.size >= short+b
		if complete || settled && h.converged(r, o.Norm2, o.Tolerance) || dec.Steps == maxSteps {
			return dec.take(ctx, k, t, values, min(r, len(values)), b)
		}
		if k.size+len(next)/k.n > limit {
			keep := min(o.Goal.limit(short)+b, k.size)
			k.restart(values, t.vectors(values, keep), keep)
		}
		x = next
	}
}

// take fills in the result from the eigenvalues and the tridiagonal form of V·M·Vᵀ.
func (dec *Decomposition) take(ctx context.Context, k *krylov, t *tridiagonal, values []float64, r, spare int) error {
	usable := len(values)
	for usable > 0 && values[usable-1] <= rankFloor*values[0] {
		usable-- // rounding errors, not singular values
	}
	captured := 0.0
	for _, v := range values[:min(r, usable)] {
		captured += v
	}
	dec.Values = roots(values[:usable])
	if dec.Norm2-captured > steepBelow*dec.Norm2 {
		dec.Rank = min(r, usable)
		var vectors []float32
		vectors, dec.images = k.combine(t.vectors(values, dec.Rank), dec.Rank)
		dec.Vectors = transpose(vectors, k.n, dec.Rank)
		dec.BestError2 = max(k.bestError2(values, dec.Rank, dec.Norm2), 0)
		return nil
	}
	n := min(r+spare, usable)
	vectors, _ := k.combine(t.vectors(values, n), n)
	dec.Vectors = transpose(vectors, k.n, n)
	for range refinements {
		if err := dec.refine(ctx, k.pass); err != nil {
			return err
		}
	}
	dec.Rank = min(r, len(dec.Values))
	dec.Vectors = dec.Vectors[:dec.Rank*k.cols]
	// The values are at most the true ones, but for rounding errors, so those
	// beyond the rank bound the error from below.
	for _, v := range dec.Values[dec.Rank:] {
		v = max(v-1e-5*dec.Values[0], 0)
		dec.BestError2 += v * v
	}
	return nil
}

// rankFloor is the share of the largest squared singular value below which others
// can't be told from rounding errors of float32 products.
const rankFloor = 1e-13

func roots(squares []float64) []float64 {
	s := make([]float64, len(squares))
	for i, v := range squares {
		s[i] = math.Sqrt(max(v, 0))
	}
	return s
}

// An estimate is of the squared singular values, after a step; fresh says that
// the step was one of random directions, where those of the products were used up.
type estimate struct {
	squares []float64
	fresh   bool
}

type history []estimate

// energy returns the sum of the first r after a step, counted from the last.
func (h history) energy(back, r int) (sum float64, ok bool) {
	i := len(h) - 1 - back
	if i < 0 || len(h[i].squares) < r {
		return 0, false
	}
	for _, v := range h[i].squares[:r] {
		sum += v
	}
	return sum, true
}

// converged reports whether the energy captured at rank r can't grow by more
// than what the tolerance allows. The gains of the steps shrink at least
// geometrically once there are more vectors than the rank, since every step
// raises the degree of the polynomial that separates the singular values: with g
// the last gain and q the ratio of the last two, about g·q/(1−q) is left. The
// squared error may be 2·tolerance too large; the rest of that is for what the
// estimate misses where q still grows.
//
// Random directions gain little by themselves: what they lead to shows a step
// later, and is compared with what there was before them.
func (h history) converged(r int, norm2, tolerance float64) bool {
	now, ok0 := h.energy(0, r)
	before, ok1 := h.energy(1, r)
	first, ok2 := h.energy(2, r)
	if !ok0 || !ok1 || !ok2 {
		return false
	}
	gain, last := max(now-before, 0), max(before-first, 0)
	if gain <= 1e-10*now {
		return true
	}
	if h[len(h)-1].fresh {
		return false
	}
	q := min(gain/last, 0.95)
	if _, earlier := h.energy(3, r); !earlier {
		q = max(q, 0.5) // the second gain is that of a few large ones, often
	}
	if h[len(h)-2].fresh {
		gain, q = max(now-first, 0), 0.5
	}
	// The squared error: what is not captured. Where that is all rounding error,
	// what the basis holds beyond rank r says more.
	rest := norm2 - now
	var tail float64
	for _, v := range h[len(h)-1].squares[r:] {
		tail += max(v, 0)
	}
	return gain*q/(1-q) <= 1.3*tolerance*max(rest, tail)
}
