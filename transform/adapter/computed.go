package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// sum is an op that adds rows which a function computes, times a factor.
type sum struct {
	rows    func(ctx context.Context, lo, hi int, d []float32) error // fills d with the rows [lo, hi), not scaled
	scale   float32                                                  // with the strength
	info    OpInfo
	perRow  int64 // memory that rows takes for each row
	atLeast int64 // and besides
}

func (s *sum) Describe() OpInfo { return s.info }

func (s *sum) Delta(ctx context.Context, t *Tile, d []float32) error {
	if err := s.rows(ctx, t.Lo, t.Hi, d); err != nil {
		return err
	}
	if s.scale != 1 {
		kernels.Scale(d, s.scale)
	}
	return nil
}

func (s *sum) Scratch(n int) int64 { return int64(n)*s.perRow + s.atLeast }

// rewrite is an op that replaces rows by what a function makes of them.
type rewrite struct {
	rows     func(ctx context.Context, lo, hi int, w []float32) error
	strength float32
	cols     int
	info     OpInfo
	perRow   int64 // memory that rows takes for each row
	atLeast  int64 // and besides
}

func (r *rewrite) Describe() OpInfo { return r.info }

func (r *rewrite) Whole() bool { return r.strength == 1 }

func (r *rewrite) Delta(ctx context.Context, t *Tile, d []float32) error {
	return difference(ctx, r, r.strength, t, d)
}

func (r *rewrite) Rewrite(ctx context.Context, t *Tile, _ []float32) error {
	return r.rows(ctx, t.Lo, t.Hi, t.W)
}

func (r *rewrite) Scratch(n int) int64 {
	return int64(n)*r.perRow + r.atLeast + differenceScratch(n*r.cols)
}

// A small matrix is one that comes by rows: a tensor, or a product of factors.
type small struct {
	rows, cols int
	read       func(ctx context.Context, lo, hi int, dst []float32) error
	scratch    func(n int) int64
}

// smallTensor returns a tensor as a matrix with so many rows.
func smallTensor(v values, rows int) small {
	cols := v.NumElements() / max(1, rows)
	return small{rows, cols, func(ctx context.Context, lo, hi int, dst []float32) error {
		return v.read(ctx, dst[:(hi-lo)*cols], lo*cols)
	}, func(n int) int64 { return v.scratch(n * cols) }}
}

// smallProduct returns a product of factors as a matrix.
func smallProduct(left, right factor, rows, cols int) small {
	l := &lowRank{products: []product{{hi: rows, left: left, right: right}}, cols: cols}
	return small{rows, cols, func(ctx context.Context, lo, hi int, dst []float32) error {
		return l.multiply(ctx, lo, hi, dst[:(hi-lo)*cols])
	}, l.Scratch}
}

// tucker is the factor [r, in·k…] that a core of shape [r, r, k…] and a factor of
// shape [r, in] make, for the Tucker form of a convolution:
//
//	F[i, (p, k)] = Σ_j core[i, j, k] · factor[j, p]
type tucker struct {
	core, factor values
	rank, in     int
}

// tuckerFactor returns it as a factor by rank index.
func tuckerFactor(core, f values, rank int) factor {
	in := f.NumElements() / rank
	taps := core.NumElements() / (rank * rank)
	info := formats.Info{Name: core.Name, DType: formats.F32, Shape: []int{rank, in * taps}}
	return columnsOf(values{&formats.Tensor{Info: info, Rows: &tucker{core, f, rank, in}}, core.lenient}, rank)
}

func (k *tucker) taps() int { return k.core.NumElements() / (k.rank * k.rank) }

func (k *tucker) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	taps := k.taps()
	core := formats.BorrowFloats(k.rank * taps)
	defer formats.ReturnFloats(core)
	f := formats.BorrowFloats(k.rank * k.in)
	defer formats.ReturnFloats(f)
	row := formats.BorrowFloats(k.in * taps)
	defer formats.ReturnFloats(row)
	if err := k.factor.read(ctx, f, 0); err != nil {
		return err
	}
	for i := lo; i < hi; i++ {
		if err := k.core.read(ctx, core, i*k.rank*taps); err != nil {
			return err
		}
		clear(row)
		kernels.GemmTN(row, taps, f, k.in, core, taps, k.in, taps, k.rank)
		kernels.EncodeF32(dst[4*(i-lo)*len(row):4*(i-lo+1)*len(row)], row)
	}
	return nil
}

func (k *tucker) Scratch(int) int64 {
	taps := k.taps()
	return 4*int64(k.rank*taps+k.rank*k.in+k.in*taps) + k.core.scratch(k.rank*taps) + k.factor.scratch(k.rank*k.in)
}
