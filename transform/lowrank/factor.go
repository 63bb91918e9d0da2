package lowrank

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// A Store keeps the left factor, which is as tall as the matrix. It is safe for
// concurrent use on different rows.
type Store interface {
	// WriteFloats stores the rows [lo, hi), row-major, and replaces them by the
	// numbers that ReadFloats will return, if storing rounds.
	WriteFloats(x []float32, lo, hi int) error

	// ReadFloats fills dst with the rows [lo, hi).
	ReadFloats(ctx context.Context, dst []float32, lo, hi int) error
}

// FactorOptions say what form the factors have.
type FactorOptions struct {
	Rank int // at most that of the decomposition

	// LeftShare is the share of the singular values that goes to the left factor:
	// L = U·Sᵅ and R ≈ S¹⁻ᵅ·Vᵀ with α = 0, 0.5 or 1.
	LeftShare float64

	Left  Store                 // where L goes
	Round func([]float32) error // rounds numbers of R to those that will be stored; nil to keep them

	// Weights are set if the matrix is D·diag(w): R is then divided by them, so
	// that L·R approximates D. Plain is D itself.
	Weights []float32
	Plain   Matrix
}

// Factors are L, which is in its store, and R with L·R ≈ D.
type Factors struct {
	Rank  int
	Right []float32 // row-major, [Rank, columns of D]

	// Error2 is ‖D − L·R‖² of the numbers as they are stored, in float64: as
	// ‖D‖² − 2⟨LᵀD, R⟩ + ⟨LᵀL, RRᵀ⟩ where it is more than a hundredth of ‖D‖²,
	// and from the elements of D − L·R where that would cancel.
	Error2 float64

	// WeightedError2 is ‖(D − L·R)·diag(w)‖², the same as Error2 if there are no weights.
	WeightedError2 float64
}

// directBelow is the share of ‖D‖² below which the error is not found as a
// difference: rounding errors of LᵀD in float32 would show in its fifth digit.
const directBelow = 0.01

// Factor makes the factors of d, the matrix that dec is of. The largest element
// of each column of L is positive.
func (dec *Decomposition) Factor(ctx context.Context, d Matrix, team *Team, o FactorOptions) (*Factors, error) {
	f := &factoring{pass: newPass(d, team), dec: dec, o: o, r: min(o.Rank, dec.Rank)}
	if f.r == 0 {
		return &Factors{Error2: dec.Norm2, WeightedError2: dec.Norm2}, nil
	}
	if err := f.project(ctx); err != nil {
		return nil, err
	}
	if err := f.fixSigns(ctx); err != nil {
		return nil, err
	}
	right := f.solve()
	out := &Factors{Rank: f.r, Right: right}
	captured := f.inner(f.products, right)
	scaleColumns(right, o.Weights, true)
	if o.Round != nil {
		if err := o.Round(right); err != nil {
			return nil, err
		}
	}
	return out, f.certify(ctx, out, dec.Norm2-captured < directBelow*dec.Norm2)
}

// A factoring is L being made.
type factoring struct {
	pass
	dec      *Decomposition
	o        FactorOptions
	r        int
	vectors  []float32 // V, [cols, r], if D·V is not known
	products []float32 // LᵀD, [r, cols]
	self     []float64 // LᵀL, [r, r]
	extreme  []float32 // the element of each column of L that is largest in size
}

// project computes L by rows, stores it, and adds up LᵀD and LᵀL for it as it is
// stored.
func (f *factoring) project(ctx context.Context) error {
	r, height := f.r, panelRows(f.cols)
	if !f.dec.Left && f.dec.images == nil {
		f.vectors = transpose(f.dec.Vectors[:r*f.cols], r, f.cols)
	}
	f.self = make([]float64, r*r)
	f.extreme = make([]float32, r)
	products := newTotal(f.team, r*f.cols)
	lt := make([]float32, r*height) // the panel's part of Lᵀ
	err := f.run(ctx, func(rows panel) error {
		return f.leftRows(lt[rows.lo%height:], height, rows)
	}, func(all panel) error {
		n := all.hi - all.lo
		f.team.Ranges(f.cols, 64, func(from, to int) {
			kernels.Gemm(products.chain[from:], f.cols, lt, height, all.x[from:], all.ld, r, to-from, n)
		})
		products.added(n)
		f.team.Each(r, func(i int) {
			column := lt[i*height:][:n]
			for j := range i + 1 {
				f.self[i*r+j] += kernels.Dot(column, lt[j*height:][:n])
			}
			for _, v := range column {
				if math.Abs(float64(v)) > math.Abs(float64(f.extreme[i])) {
					f.extreme[i] = v
				}
			}
		})
		return nil
	})
	f.products = products.floats()
	for i := range r {
		for j := range i {
			f.self[j*r+i] = f.self[i*r+j]
		}
	}
	return err
}

// leftRows fills lt, of row length ld, with the columns of L for some rows of D,
// and stores them.
func (f *factoring) leftRows(lt []float32, ld int, rows panel) error {
	n, r := rows.hi-rows.lo, f.r
	x := formats.BorrowFloats(n * r)
	defer formats.ReturnFloats(x)
	share := f.o.LeftShare - 1 // D·v is u·s already
	switch {
	case f.dec.images != nil:
		for i := range n {
			copy(x[i*r:][:r], f.dec.images[(rows.lo+i)*f.dec.Rank:])
		}
	case f.dec.Left:
		for i := range n {
			for j := range r {
				x[i*r+j] = f.dec.Vectors[j*f.rows+rows.lo+i]
			}
		}
		share++
	default:
		clear(x)
		kernels.Gemm(x, r, rows.x, rows.ld, f.vectors, r, n, r, f.cols)
	}
	scale := make([]float32, r)
	for j := range scale {
		scale[j] = float32(power(f.dec.Values[j], share))
	}
	for i := range n {
		for j, s := range scale {
			x[i*r+j] *= s
		}
	}
	if err := f.o.Left.WriteFloats(x, rows.lo, rows.hi); err != nil {
		return err
	}
	for i := range n {
		for j, v := range x[i*r:][:r] {
			lt[j*ld+i] = v
		}
	}
	return nil
}

// power returns sᵖ for p = -1, -0.5, 0, 0.5 or 1, the same on every machine.
func power(s, p float64) float64 {
	switch p {
	case -1:
		return 1 / s
	case -0.5:
		return 1 / math.Sqrt(s)
	case 0.5:
		return math.Sqrt(s)
	case 1:
		return s
	}
	return 1
}

// fixSigns turns round the columns whose largest element is negative.
func (f *factoring) fixSigns(ctx context.Context) error {
	flip := make([]bool, f.r)
	any := false
	for i, v := range f.extreme {
		flip[i] = v < 0
		any = any || flip[i]
	}
	if !any {
		return nil
	}
	for i := range f.r {
		if flip[i] {
			kernels.Scale(f.products[i*f.cols:][:f.cols], -1)
		}
		for j := range f.r {
			if flip[i] != flip[j] {
				f.self[i*f.r+j] = -f.self[i*f.r+j]
			}
		}
	}
	height := min(panelRows(f.r), f.rows)
	x := formats.BorrowFloats(height * f.r)
	defer formats.ReturnFloats(x)
	for lo := 0; lo < f.rows; lo += height {
		hi := min(lo+height, f.rows)
		if err := f.o.Left.ReadFloats(ctx, x[:(hi-lo)*f.r], lo, hi); err != nil {
			return err
		}
		for i := range x[:(hi-lo)*f.r] {
			if flip[i%f.r] {
				x[i] = -x[i]
			}
		}
		if err := f.o.Left.WriteFloats(x[:(hi-lo)*f.r], lo, hi); err != nil {
			return err
		}
	}
	return nil
}

// independent is the least eigenvalue of LᵀL, scaled to a unit diagonal, that
// counts: below, a column is a combination of others but for rounding.
const independent = 1e-10

// unitSelf returns LᵀL scaled to a unit diagonal, and the scale of each column.
func (f *factoring) unitSelf() (a, unit []float64) {
	r := f.r
	unit = make([]float64, r)
	for i := range r {
		if v := f.self[i*r+i]; v > 0 {
			unit[i] = 1 / math.Sqrt(v)
		}
	}
	a = make([]float64, r*r)
	for i := range a {
		a[i] = f.self[i] * unit[i/r] * unit[i%r]
	}
	return a, unit
}

// solve returns R = (LᵀL)⁺·LᵀD. LᵀL is nearly diagonal, but for rounding of L.
func (f *factoring) solve() []float32 {
	r := f.r
	x, kept := f.whiten()
	inverse := make([]float64, r*r) // XᵀX
	for k := range kept {
		for i, v := range x[k*r:][:r] {
			axpy64(inverse[i*r:][:r], v, x[k*r:][:r])
		}
	}
	return f.combineProducts(inverse, r)
}
