package adapter

import (
	"context"
	"math"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/lowrank"
)

// A residual merges an adapter into the base that it was trained on:
//
//	W' = round(R) + s · B·A
//
// R is what the initialisation left of the base, by kind:
//
//	pissa   W − U·Σ·Vᵀ, with the r largest singular values of W
//	kasa    U·Σ·Vᵀ, with all but the r smallest
//	olora   W − s·Q·R, with the first r columns of Q in the QR decomposition of W
//
// PEFT stores R in the number format of the base, hence round. The factors of the
// part are computed once, when the first rows are asked for, and kept.
type residual struct {
	kind     string
	base     *formats.Tensor
	rank     int
	delta    *lowRank
	strength float32

	mu          sync.Mutex
	left, right []float32 // the part's factors, of shape [rows, k] and [k, cols]
}

func (o *residual) Describe() OpInfo {
	info := o.delta.info
	info.Kind = o.kind
	return info
}

func (o *residual) Whole() bool { return o.strength == 1 }

func (o *residual) Delta(ctx context.Context, t *Tile, d []float32) error {
	return difference(ctx, o, o.strength, t, d)
}

func (o *residual) Rewrite(ctx context.Context, t *Tile, d []float32) error {
	if err := o.compute(ctx); err != nil {
		return err
	}
	k := len(o.right) / t.Cols
	clear(d)
	kernels.Gemm(d, t.Cols, o.left[t.Lo*k:], k, o.right, t.Cols, t.rows(), t.Cols, k)
	if o.kind == "kasa" {
		copy(t.W, d)
	} else {
		kernels.Sub(t.W, t.W, d)
	}
	round := formats.BorrowBytes(len(d) * o.base.DType.BlockBytes())
	defer formats.ReturnBytes(round)
	formats.Encoder(o.base.DType)(round, t.W)
	formats.Decoder(o.base.DType)(t.W, round)
	if err := o.delta.Delta(ctx, t, d); err != nil {
		return err
	}
	kernels.AddScaled(t.W, 1, d)
	return nil
}

func (o *residual) Scratch(n int) int64 {
	elements := n * o.delta.cols
	return o.delta.Scratch(n) + differenceScratch(elements) + int64(elements)*int64(o.base.DType.BlockBytes())
}

// compute finds the factors of the part. A failed attempt is not kept: the
// context of one caller may have ended.
func (o *residual) compute(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left != nil {
		return nil
	}
	left, right, err := o.part(ctx, o.base.NumRows(), o.base.NumCols())
	if err != nil {
		return o.base.Error(err)
	}
	o.right = right
	o.left = left
	return nil
}

func (o *residual) part(ctx context.Context, rows, cols int) (left, right []float32, err error) {
	switch o.kind {
	case "olora":
		if left, err = o.orthogonalColumns(ctx, rows, cols); err != nil {
			return nil, nil, err
		}
		right = make([]float32, o.rank*cols)
		err = o.eachBlock(ctx, rows, cols, func(w []float32, lo, n int) {
			kernels.GemmTN(right, cols, left[lo*o.rank:], o.rank, w, cols, o.rank, cols, n)
		})
		kernels.Scale(left, float32(o.delta.info.Scale))
		return left, right, err
	case "kasa":
		return o.principalPart(ctx, rows, cols, min(rows, cols)-o.rank)
	}
	return o.principalPart(ctx, rows, cols, o.rank)
}

// principalPart finds the part with the k largest singular values from the
// singular vectors of one side: U·(UᵀW) or (W·V)·Vᵀ.
func (o *residual) principalPart(ctx context.Context, rows, cols, k int) (left, right []float32, err error) {
	// What the iteration can still gain bounds the square of the error.
	dec, err := lowrank.Decompose(ctx, &baseMatrix{o.base, rows, cols}, lowrank.NewTeam(1),
		lowrank.Options{Name: o.base.Name, Goal: lowrank.Goal{Rank: k}, Tolerance: 1e-9})
	if err != nil {
		return nil, nil, err
	}
	k = dec.Rank // fewer if the matrix has no more directions
	left, right = make([]float32, rows*k), make([]float32, k*cols)
	if dec.Left {
		for j := range k {
			for i := range rows {
				left[i*k+j] = dec.Vectors[j*rows+i]
			}
		}
	} else {
		copy(right, dec.Vectors)
	}
	err = o.eachBlock(ctx, rows, cols, func(w []float32, lo, n int) {
		if dec.Left {
			kernels.GemmTN(right, cols, left[lo*k:], k, w, cols, k, cols, n)
		} else {
			kernels.GemmNT(left[lo*k:], k, w, cols, right, cols, n, k, cols)
		}
	})
	return left, right, err
}

// orthogonalColumns returns the first r columns of Q, of shape [rows, r], which
// span those of the weight: by Gram and Schmidt's method, with a second pass
// for accuracy, in float64. Their signs make no difference here.
func (o *residual) orthogonalColumns(ctx context.Context, rows, cols int) ([]float32, error) {
	r := o.rank
	q := make([][]float64, r)
	for k := range q {
		q[k] = make([]float64, rows)
	}
	err := o.eachBlock(ctx, rows, cols, func(w []float32, lo, n int) {
		for i := range n {
			for k := range q {
				q[k][lo+i] = float64(w[i*cols+k])
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]float32, rows*r)
	for k, v := range q {
		for range 2 {
			for _, u := range q[:k] {
				subtract(v, dot64(u, v), u)
			}
		}
		norm := math.Sqrt(dot64(v, v))
		for i := range v {
			if norm > 0 {
				v[i] /= norm
			}
			out[i*r+k] = float32(v[i])
		}
	}
	return out, nil
}

// dot64 returns the inner product, summed in order; subtract takes a·x from y. The
// products are rounded before the sums, on every CPU.
func dot64(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += float64(v * y[i])
	}
	return sum
}

func subtract(y []float64, a float64, x []float64) {
	for i, v := range x {
		y[i] -= float64(a * v)
	}
}

// eachBlock calls f with the rows of the base, block by block and in order: n
// rows from lo on.
func (o *residual) eachBlock(ctx context.Context, rows, cols int, f func(w []float32, lo, n int)) error {
	step := max(1, passElements/cols)
	w := formats.BorrowFloats(step * cols)
	defer formats.ReturnFloats(w)
	for lo := 0; lo < rows; lo += step {
		n := min(step, rows-lo)
		if err := o.base.ReadFloats(ctx, w[:n*cols], lo, lo+n); err != nil {
			return err
		}
		if i := kernels.FirstNonFinite(w[:n*cols]); i >= 0 {
			return formats.Reasonf(formats.ErrMismatch, "element %d is %s, so the weight can't be decomposed", lo*cols+i, nonFinite(w[i]))
		}
		f(w[:n*cols], lo, n)
	}
	return nil
}

// baseMatrix is a tensor as a matrix to decompose.
type baseMatrix struct {
	*formats.Tensor
	rows, cols int
}

func (m *baseMatrix) Dims() (rows, cols int) { return m.rows, m.cols }
