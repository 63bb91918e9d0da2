package lowrank

import (
	"context"
	"math"

	"github.com/loratool/loratool/kernels"
)

// A krylov is the state of the iteration on M = DᵀD, or DDᵀ if left is set, of
// order n.
type krylov struct {
	pass
	name string
	left bool
	n    int

	blocks []block     // the basis V, orthonormal rows
	size   int         // its number of rows
	t      [][]float64 // V·M·Vᵀ: row i holds elements 0 to i
	last   int         // where the newest block begins

	residual []float64 // F·Fᵀ with F = M·X − V·Vᵀ·M·X for the newest block X
	drawn    uint64    // random numbers used
}

// A block is some rows of the basis.
type block struct {
	rows int
	x    []float32
}

// start makes the first block, of random vectors.
func (k *krylov) start(b int) []float32 {
	x := make([]float32, b*k.n)
	k.draw(x)
	k.orthonormalize(x, b, 0)
	return x
}

// draw fills x with random numbers of mean square 1/n, nearly.
func (k *krylov) draw(x []float32) {
	randomBlock(x, k.name, k.drawn)
	k.drawn += uint64(len(x))
	kernels.Scale(x, float32(1/(37838*math.Sqrt(float64(k.n)))))
}

// step adds the orthonormal rows x to the basis and returns as many more,
// fewer if there are no more than that, and none if the basis is complete.
func (k *krylov) step(ctx context.Context, x []float32) ([]float32, error) {
	rows := len(x) / k.n
	w, err := k.gram(ctx, x, rows, k.left)
	if err != nil {
		return nil, err
	}
	k.last = k.size
	k.blocks = append(k.blocks, block{rows, x})
	k.size += rows
	k.extend(w, rows)
	k.project(w, rows)
	k.residual = k.selfProducts(w, rows)

	next := min(rows, k.n-k.size)
	if next == 0 {
		return nil, nil
	}
	// Directions of w that are no more than the rounding errors of M·x are
	// replaced by random ones: ε‖D‖ times the greatest ‖D·x‖.
	var most float64
	for i := k.last; i < k.size; i++ {
		most = max(most, k.t[i][i])
	}
	k.orthonormalize(w, rows, 1e-12*k.greatest()*most)
	return w[:next*k.n], nil
}

// greatest returns an estimate of ‖M‖ from below.
func (k *krylov) greatest() float64 {
	var most float64
	for i, row := range k.t {
		most = max(most, row[i])
	}
	return most
}

// extend adds the products of w = M·x, for the newest block x, with the basis to t.
func (k *krylov) extend(w []float32, rows int) {
	columns := make([][]float64, k.size)
	k.eachRow(func(i int, v []float32) {
		columns[i] = make([]float64, rows)
		for j := range rows {
			columns[i][j] = kernels.Dot(v, w[j*k.n:][:k.n])
		}
	})
	for j := range rows {
		row := make([]float64, k.last+j+1)
		for i := range row {
			row[i] = columns[i][j]
			if i >= k.last { // both triangles are known: rounding makes them differ
				row[i] = (row[i] + columns[k.last+j][i-k.last]) / 2
			}
		}
		k.t = append(k.t, row)
	}
}

// eachRow calls f for every row of the basis, several at the same time.
func (k *krylov) eachRow(f func(i int, v []float32)) {
	first := 0
	for _, b := range k.blocks {
		k.team.Ranges(b.rows, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				f(first+i, b.x[i*k.n:][:k.n])
			}
		})
		first += b.rows
	}
}

// dense returns t as a square matrix of which the lower triangle is set.
func (k *krylov) dense() []float64 {
	a := make([]float64, k.size*k.size)
	for i, row := range k.t {
		copy(a[i*k.size:], row)
	}
	return a
}

// combine returns the rows C·V, for C with the given number of rows, row-major.
func (k *krylov) combine(c []float64, rows int) []float32 {
	if rows == 0 {
		return nil
	}
	coef := make([]float32, len(c))
	for i, v := range c {
		coef[i] = float32(v)
	}
	out := make([]float32, rows*k.n)
	k.team.Ranges(k.n, 64, func(lo, hi int) {
		first := 0
		for _, b := range k.blocks {
			kernels.Gemm(out[lo:], k.n, coef[first:], k.size, b.x[lo:], k.n, rows, hi-lo, b.rows)
			first += b.rows
		}
	})
	return out
}

// restart replaces the basis by the given combinations of it, eigenvectors of t.
func (k *krylov) restart(values, vectors []float64, keep int) {
	x := k.combine(vectors, keep)
	k.blocks, k.size, k.t = nil, 0, nil
	k.orthonormalize(x, keep, 0) // by now it is so but for rounding
	k.blocks, k.size, k.last = []block{{keep, x}}, keep, 0
	for i := range keep {
		row := make([]float64, i+1)
		row[i] = values[i]
		k.t = append(k.t, row)
	}
}
