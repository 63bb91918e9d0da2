package lowrank

import (
	"context"
	"math"

	"github.com/loratool/loratool/kernels"
)

// A krylov is the state of the iteration on M = DᵀD, or DDᵀ if left is set, of
// order n. Its vectors are columns, a block of them one matrix of n rows: the
// products with D then take D's elements one by one and those of the vectors a
// register at a time, so that D is read where it is.
type krylov struct {
	pass
	name string
	left bool
	n    int

	blocks []block     // the basis V, orthonormal
	size   int         // its number of vectors
	t      [][]float64 // VᵀMV: row i holds elements 0 to i
	last   int         // where the newest block begins

	norm2      float64 // ‖D‖²
	keepImages bool
	random     int       // how many vectors of a block are always random ones
	residual   []float64 // FᵀF with F = M·X − V·Vᵀ·M·X for the newest block X
	drawn      uint64    // random numbers used
	fresh      bool      // the newest block is one of random vectors in the main
	nextFresh  bool      // so will be the next one
}

// A block is some vectors of the basis.
type block struct {
	cols  int
	x     []float32 // [n, cols]
	rows  []float32 // the same, transposed
	image []float32 // D·x, of shape [rows of D, cols], if it is kept
}

// start makes the first block, of random vectors.
func (k *krylov) start(b int) []float32 {
	x := make([]float32, b*k.n)
	k.draw(x, b, 0)
	k.orthonormalize(x, b, b, 0)
	return x
}

// draw fills the columns of x, of which there are b, with random numbers of mean
// square 1/n, nearly, from column first on.
func (k *krylov) draw(x []float32, b, first int) {
	random := make([]float32, k.n*(b-first))
	randomBlock(random, k.name, k.drawn)
	k.drawn += uint64(len(random))
	kernels.Scale(random, float32(1/(37838*math.Sqrt(float64(k.n)))))
	for i := range k.n {
		copy(x[i*b+first:(i+1)*b], random[i*(b-first):])
	}
}

// step adds the b orthonormal vectors x to the basis and returns as many more,
// fewer if there are no more than that, and none if the basis is complete.
func (k *krylov) step(ctx context.Context, x []float32) (next []float32, err error) {
	b := len(x) / k.n
	var image []float32
	if k.keepImages {
		image = make([]float32, k.rows*b)
	}
	w, err := k.gram(ctx, x, b, k.left, image)
	if err != nil {
		return nil, err
	}
	k.last, k.fresh = k.size, k.nextFresh
	k.blocks = append(k.blocks, block{b, x, transpose(x, k.n, b), image})
	k.size += b
	rows := transpose(w, k.n, b)
	k.extend(k.project(w, b), rows, b)
	k.residual = k.gramOf(w, b)

	n := min(b, k.n-k.size)
	if n == 0 {
		return nil, nil
	}
	// Directions of w that are no more than the rounding errors of M·x are
	// replaced by random ones: ε‖D‖ times the greatest ‖D·x‖. Where blocks are
	// small one is always: of singular values that are equal, or nearly so, a
	// Krylov space finds no more than a block has vectors, unless new ones come in.
	// That costs the last digits, which need the direction that is given up.
	var most float64
	for i := k.last; i < k.size; i++ {
		most = max(most, k.t[i][i])
	}
	kept := k.orthonormalize(w, b, b-k.random, 1e-12*k.greatest()*most)
	k.nextFresh = kept < b/2
	return firstColumns(w, b, n), nil
}

// firstColumns returns the first n of the b columns of x.
func firstColumns(x []float32, b, n int) []float32 {
	if n == b {
		return x
	}
	y := make([]float32, len(x)/b*n)
	for i := range len(x) / b {
		copy(y[i*n:][:n], x[i*b:])
	}
	return y
}

// greatest returns an estimate of ‖M‖ from below.
func (k *krylov) greatest() float64 {
	var most float64
	for i, row := range k.t {
		most = max(most, row[i])
	}
	return most
}

// project subtracts from w, of shape [n, b], what lies in the span of the basis,
// and returns −VᵀW.
func (k *krylov) project(w []float32, b int) []float32 {
	const part = 512 // rows of a partial sum in float32
	parts := make([][]float32, (k.n+part-1)/part)
	k.team.Each(len(parts), func(i int) { // VᵀW
		lo, hi := i*part, min((i+1)*part, k.n)
		c, first := make([]float32, k.size*b), 0
		for _, v := range k.blocks {
			kernels.GemmTN(c[first*b:], b, v.x[lo*v.cols:], v.cols, w[lo*b:], b, v.cols, b, hi-lo)
			first += v.cols
		}
		parts[i] = c
	})
	c := parts[0]
	for _, more := range parts[1:] {
		kernels.AddScaled(c, 1, more)
	}
	kernels.Scale(c, -1)
	k.addCombination(w, b, c)
	return c
}

// addCombination adds V·C to w, of shape [n, b], for C with b columns.
func (k *krylov) addCombination(w []float32, b int, c []float32) {
	k.combineBlocks(w, k.n, b, c, func(v block) []float32 { return v.x })
}

// combineBlocks adds the product of a matrix, whose columns are in the blocks, and
// C to w: both have n rows, and C has b columns.
func (k *krylov) combineBlocks(w []float32, n, b int, c []float32, columns func(block) []float32) {
	k.team.Ranges(n, 48, func(lo, hi int) {
		first := 0
		for _, v := range k.blocks {
			kernels.Gemm(w[lo*b:], b, columns(v)[lo*v.cols:], v.cols, c[first*b:], b, hi-lo, b, v.cols)
			first += v.cols
		}
	})
}

// extend adds the rows of VᵀMX to t, for the newest block X, given −VᵀMX, as
// project finds it, and the b rows of (MX)ᵀ. The elements that count are sums in
// float64: those of the last two blocks, and all of them if the last digits do,
// or if little is left of ‖D‖², so that small singular values matter.
func (k *krylov) extend(minus, rows []float32, b int) {
	near := 0
	if k.random > 0 && k.norm2-k.captured() > 0.01*k.norm2 {
		for _, v := range k.blocks[:max(len(k.blocks)-2, 0)] {
			near += v.cols
		}
	}
	columns := make([][]float64, k.size)
	first := 0
	for _, v := range k.blocks {
		k.team.Ranges(v.cols, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				column := make([]float64, b)
				for j := range column {
					if first < near {
						column[j] = -float64(minus[(first+i)*b+j])
					} else {
						column[j] = kernels.Dot(v.rows[i*k.n:][:k.n], rows[j*k.n:][:k.n])
					}
				}
				columns[first+i] = column
			}
		})
		first += v.cols
	}
	for j := range b {
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

// captured returns the trace of t, the share of ‖D‖² in the basis.
func (k *krylov) captured() (sum float64) {
	for i, row := range k.t {
		sum += row[i]
	}
	return sum
}

// dense returns t as a square matrix of which the lower triangle is set.
func (k *krylov) dense() []float64 {
	a := make([]float64, k.size*k.size)
	for i, row := range k.t {
		copy(a[i*k.size:], row)
	}
	return a
}

// combine returns V·Cᵀ, of shape [n, rows], for C with the given number of rows,
// row-major, and the same combination of the images if they are kept.
func (k *krylov) combine(c []float64, rows int) (out, image []float32) {
	coef := make([]float32, len(c))
	for i := range rows {
		for j := range k.size {
			coef[j*rows+i] = float32(c[i*k.size+j])
		}
	}
	out = make([]float32, k.n*rows)
	k.addCombination(out, rows, coef)
	if !k.keepImages {
		return out, nil
	}
	image = make([]float32, k.rows*rows)
	k.combineBlocks(image, k.rows, rows, coef, func(v block) []float32 { return v.image })
	return out, image
}

// restart replaces the basis by the given combinations of it, eigenvectors of t.
func (k *krylov) restart(values, vectors []float64, keep int) {
	x, image := k.combine(vectors, keep)
	// They are orthonormal but for rounding errors, as the images are D times them.
	k.blocks, k.size, k.last, k.t = []block{{keep, x, transpose(x, k.n, keep), image}}, keep, 0, nil
	for i := range keep {
		row := make([]float64, i+1)
		row[i] = values[i]
		k.t = append(k.t, row)
	}
}
