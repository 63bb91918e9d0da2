package adapter

import (
	"context"
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/lowrank"
)

// A residual merges an adapter into the base that it was trained on:
//
//	W' = round(W − P) + s · B·A
//
// P is the part of the base that the initialisation took out of it, by kind:
//
//	pissa   U·Σ·Vᵀ of the r largest singular values of W
//	kasa    the same of the r smallest
//	olora   s·Q·R of the first r columns of Q, in the QR decomposition of W
//
// PEFT stores W − P in the number format of the base, hence round. P is computed
// once, when the first rows are asked for: in float64, with memory for the whole
// tensor, but for the PiSSA of a large one.
type residual struct {
	kind     string
	base     *formats.Tensor
	rank     int
	delta    *lowRank
	strength float32

	mu          sync.Mutex
	left, right []float32 // P, as [rows, r] and [r, cols]
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
	clear(d)
	kernels.Gemm(d, t.Cols, o.left[t.Lo*o.rank:], o.rank, o.right, t.Cols, t.rows(), t.Cols, o.rank)
	kernels.Sub(t.W, t.W, d)
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

// compute finds P. A failed attempt is not kept: the context of one caller may
// have ended.
func (o *residual) compute(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left != nil {
		return nil
	}
	rows, cols := o.base.NumRows(), o.base.NumCols()
	if o.kind == "pissa" && min(rows, cols) > denseSide {
		return o.principalPart(ctx, rows, cols)
	}
	w, err := o.readBase(ctx)
	if err != nil {
		return err
	}
	var left, right *mat.Dense
	if o.kind == "olora" {
		left, right = orthogonalPart(w, o.rank)
		left.Scale(o.delta.info.Scale, left)
	} else if left, right, err = singularPart(w, o.rank, o.kind == "kasa"); err != nil {
		return o.base.Error(err)
	}
	o.right = toFloats(right)
	o.left = toFloats(left)
	return nil
}

// denseSide is the shorter side up to which a matrix is decomposed as a whole:
// that takes a second there, and eight times as long for twice the side.
const denseSide = 512

// principalPart finds the part of a PiSSA in a large matrix by iteration, without
// holding the matrix: from the singular vectors of one side, P = U·(UᵀW) or
// (W·V)·Vᵀ.
func (o *residual) principalPart(ctx context.Context, rows, cols int) error {
	d := &baseMatrix{o.base, rows, cols}
	// What the iteration can still gain bounds the square of the error.
	dec, err := lowrank.Decompose(ctx, d, lowrank.NewTeam(1), lowrank.Options{Name: o.base.Name, Goal: lowrank.Goal{Rank: o.rank}, Tolerance: 1e-9})
	if err != nil {
		return o.base.Error(err)
	}
	if dec.Rank < o.rank {
		return o.base.Error(formats.Reasonf(formats.ErrMismatch, "it has only %d directions, fewer than the adapter's rank %d", dec.Rank, o.rank))
	}
	left, right := make([]float32, rows*o.rank), make([]float32, o.rank*cols)
	if dec.Left {
		for k := range o.rank {
			for i := range rows {
				left[i*o.rank+k] = dec.Vectors[k*rows+i]
			}
		}
	} else {
		copy(right, dec.Vectors)
	}
	step := max(1, passElements/cols)
	w := formats.BorrowFloats(step * cols)
	defer formats.ReturnFloats(w)
	for lo := 0; lo < rows; lo += step {
		n := min(step, rows-lo)
		if err := o.base.ReadFloats(ctx, w[:n*cols], lo, lo+n); err != nil {
			return err
		}
		if dec.Left {
			kernels.GemmTN(right, cols, left[lo*o.rank:], o.rank, w, cols, o.rank, cols, n)
		} else {
			kernels.GemmNT(left[lo*o.rank:], o.rank, w, cols, right, cols, n, o.rank, cols)
		}
	}
	o.right = right
	o.left = left
	return nil
}

// baseMatrix is a tensor as a matrix to decompose.
type baseMatrix struct {
	*formats.Tensor
	rows, cols int
}

func (m *baseMatrix) Dims() (rows, cols int) { return m.rows, m.cols }

func (o *residual) readBase(ctx context.Context) (*mat.Dense, error) {
	rows, cols := o.base.NumRows(), o.base.NumCols()
	w := mat.NewDense(rows, cols, nil)
	x := formats.BorrowFloats(cols)
	defer formats.ReturnFloats(x)
	for i := range rows {
		if err := o.base.ReadFloats(ctx, x, i, i+1); err != nil {
			return nil, err
		}
		row := w.RawRowView(i)
		for j, v := range x {
			row[j] = float64(v)
			if math.IsNaN(row[j]) || math.IsInf(row[j], 0) {
				return nil, o.base.Error(formats.Reasonf(formats.ErrMismatch, "element %d is %v, so the weight can't be decomposed", i*cols+j, v))
			}
		}
	}
	return w, nil
}

// singularPart returns U·Σ and Vᵀ of the r largest or smallest singular values.
func singularPart(w *mat.Dense, r int, smallest bool) (left, right *mat.Dense, err error) {
	var svd mat.SVD
	if !svd.Factorize(w, mat.SVDThin) {
		return nil, nil, fmt.Errorf("its singular values do not converge")
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	s := svd.Values(nil)
	first := 0
	if smallest {
		first = len(s) - r
	}
	rows, cols := w.Dims()
	left, right = mat.NewDense(rows, r, nil), mat.NewDense(r, cols, nil)
	for k := range r {
		for i := range rows {
			left.Set(i, k, u.At(i, first+k)*s[first+k])
		}
		for j := range cols {
			right.Set(k, j, v.At(j, first+k))
		}
	}
	return left, right, nil
}

// orthogonalPart returns the first r columns of Q and the first r rows of R. They
// follow from the first r columns of the weight: R = Qᵀ·W.
func orthogonalPart(w *mat.Dense, r int) (left, right *mat.Dense) {
	rows, cols := w.Dims()
	left, right = mat.NewDense(rows, r, nil), mat.NewDense(r, cols, nil)
	left.Copy(w.Slice(0, rows, 0, r))
	q, tau, size := left.RawMatrix(), make([]float64, r), make([]float64, 1)
	lapack64.Geqrf(q, tau, size, -1)
	work := make([]float64, int(size[0]))
	lapack64.Geqrf(q, tau, work, len(work))
	lapack64.Orgqr(q, tau, work, len(work))
	right.Mul(left.T(), w)
	return left, right
}

func toFloats(m *mat.Dense) []float32 {
	raw := m.RawMatrix().Data
	out := make([]float32, len(raw))
	for i, v := range raw {
		out[i] = float32(v)
	}
	return out
}
