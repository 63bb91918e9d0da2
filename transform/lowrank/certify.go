package lowrank

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// certify fills in the errors of the factors as they are stored.
func (f *factoring) certify(ctx context.Context, out *Factors, direct bool) (err error) {
	if f.o.Weights != nil {
		p := newPass(f.o.Plain, f.team)
		if out.Error2, err = p.residual2(ctx, f.o.Left, out.Right, f.r); err != nil {
			return err
		}
		weighted := append([]float32(nil), out.Right...)
		scaleColumns(weighted, f.o.Weights, false)
		out.WeightedError2, err = f.residual2(ctx, f.o.Left, weighted, f.r)
		return err
	}
	if direct {
		out.Error2, err = f.residual2(ctx, f.o.Left, out.Right, f.r)
	} else {
		out.Error2 = f.difference2(out.Right)
	}
	out.WeightedError2 = out.Error2
	return err
}

// difference2 returns ‖D‖² − 2⟨LᵀD, R⟩ + ⟨LᵀL, RRᵀ⟩.
func (f *factoring) difference2(right []float32) float64 {
	rr := f.team.selfProducts(right, f.r)
	return f.dec.Norm2 - 2*f.inner(f.products, right) + dot64(f.self, rr)
}

// inner returns the sum of the products of corresponding elements of two
// matrices of r rows.
func (f *factoring) inner(x, y []float32) (sum float64) {
	for i := range f.r {
		sum += kernels.Dot(x[i*f.cols:][:f.cols], y[i*f.cols:][:f.cols])
	}
	return sum
}

// residual2 returns ‖D − L·R‖² from its elements, each of them D's element minus
// the r products in order with one rounding each.
func (p *pass) residual2(ctx context.Context, left Store, right []float32, r int) (float64, error) {
	squares := make([]float64, p.rows)
	err := p.run(ctx, func(rows panel) error {
		n := rows.hi - rows.lo
		l, rest := formats.BorrowFloats(n*r), formats.BorrowFloats(n*p.cols)
		defer formats.ReturnFloats(l)
		defer formats.ReturnFloats(rest)
		if err := left.ReadFloats(ctx, l, rows.lo, rows.hi); err != nil {
			return err
		}
		for i := range n {
			copy(rest[i*p.cols:][:p.cols], rows.x[i*rows.ld:])
		}
		kernels.Scale(l, -1)
		kernels.Gemm(rest, p.cols, l, r, right, p.cols, n, p.cols, r)
		for i := range n {
			squares[rows.lo+i] = kernels.SumSquares(rest[i*p.cols:][:p.cols])
		}
		return nil
	}, nil)
	var sum float64
	for _, s := range squares {
		sum += s
	}
	return sum, err
}

// scaleColumns multiplies the columns of x by w, or divides them; nil leaves them.
func scaleColumns(x, w []float32, divide bool) {
	if w == nil {
		return
	}
	for i := range x {
		if divide {
			x[i] /= w[i%len(w)]
		} else {
			x[i] *= w[i%len(w)]
		}
	}
}

// A Weighted is a matrix with its columns multiplied: D·diag(w).
type Weighted struct {
	Matrix
	Weights []float32
}

// ReadFloats fills dst with the rows [lo, hi), multiplied.
func (w *Weighted) ReadFloats(ctx context.Context, dst []float32, lo, hi int) error {
	err := w.Matrix.ReadFloats(ctx, dst, lo, hi)
	scaleColumns(dst, w.Weights, false)
	return err
}

// WriteFloats stores the rows [lo, hi) as they are.
func (d *Dense) WriteFloats(x []float32, lo, hi int) error {
	copy(d.Data[lo*d.Cols:hi*d.Cols], x)
	return nil
}
