package adapter

import (
	"context"
	"math"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// DoRA scales the adapted weight so that each output unit has a learned norm:
//
//	W' = m / ‖W₀ + Δ‖ · (W + Δ)
//
// W₀ is the base before any adapter, W what it is now; the norm is over all
// weights of an output unit. It is accumulated in float64 and rounded to float32,
// as is the quotient; sum and product are float32.
//
// Liu et al., DoRA, https://arxiv.org/abs/2402.09353, equation 5.

// doraRows is DoRA where an output unit is a row: linear layers, convolutions.
type doraRows struct {
	delta     *lowRank
	magnitude values
	first     int // element of magnitude that is for the first row
	strength  float32
}

func (o *doraRows) Describe() OpInfo { return doraInfo(o.delta) }

func doraInfo(delta *lowRank) OpInfo {
	info := delta.info
	info.Kind, info.RoundsDelta = "dora", false
	return info
}

func (o *doraRows) Whole() bool { return o.strength == 1 }

func (o *doraRows) Delta(ctx context.Context, t *Tile, d []float32) error {
	return difference(ctx, o, o.strength, t, d)
}

func (o *doraRows) Rewrite(ctx context.Context, t *Tile, d []float32) error {
	if err := o.delta.Delta(ctx, t, d); err != nil {
		return err
	}
	m := formats.BorrowFloats(t.rows())
	defer formats.ReturnFloats(m)
	if err := o.magnitude.read(ctx, m, o.first+t.Lo); err != nil {
		return err
	}
	for i := range m {
		from, to := i*t.Cols, (i+1)*t.Cols
		w, base, d := t.W[from:to], t.Base[from:to], d[from:to]
		if &w[0] != &base[0] {
			add(base, d, w) // w = w + d, and d = base + d for the norm
		} else {
			kernels.AddScaled(w, 1, d)
			d = w
		}
		norm := float32(math.Sqrt(kernels.SumSquares(d)))
		if norm == 0 && !o.magnitude.lenient {
			return zeroNorm("row", t.Lo+i)
		}
		kernels.Scale(w, m[i]/norm)
	}
	return nil
}

// add adds d to w, and then base to d.
func add(base, d, w []float32) {
	kernels.AddScaled(w, 1, d)
	kernels.AddScaled(d, 1, base)
}

func zeroNorm(what string, i int) error {
	return &formats.Error{Err: formats.Reasonf(formats.ErrMismatch,
		"DoRA divides by the norm of %s %d of the adapted weight, which is zero", what, i),
		Hint: "the adapter does not belong to this base, or it is damaged"}
}

func (o *doraRows) Scratch(n int) int64 {
	elements := n * o.delta.cols
	return o.delta.Scratch(n) + differenceScratch(elements) + 4*int64(n) + o.magnitude.scratch(n)
}

// doraColumns is DoRA where an output unit is a column: GPT-2's Conv1D, and
// embeddings, whose units are the dimensions. The norms take a pass over the
// whole tensor, which is made once, when the first rows are asked for.
type doraColumns struct {
	delta     *lowRank
	magnitude values
	base      *formats.Tensor
	rows      int
	strength  float32

	mu      sync.Mutex
	factors []float32 // m / norm, by column
}

func (o *doraColumns) Describe() OpInfo { return doraInfo(o.delta) }

func (o *doraColumns) Whole() bool { return o.strength == 1 }

func (o *doraColumns) Delta(ctx context.Context, t *Tile, d []float32) error {
	return difference(ctx, o, o.strength, t, d)
}

func (o *doraColumns) Rewrite(ctx context.Context, t *Tile, d []float32) error {
	factors, err := o.columnFactors(ctx)
	if err != nil {
		return err
	}
	if err := o.delta.Delta(ctx, t, d); err != nil {
		return err
	}
	for i := range t.rows() {
		w, d := t.W[i*t.Cols:(i+1)*t.Cols], d[i*t.Cols:(i+1)*t.Cols]
		for j, f := range factors {
			w[j] = f * (w[j] + d[j])
		}
	}
	return nil
}

// columnFactors returns m / ‖W₀ + Δ‖ by column. A failed pass is not kept: the
// context of one caller may have ended.
func (o *doraColumns) columnFactors(ctx context.Context) ([]float32, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.factors != nil {
		return o.factors, nil
	}
	sums := make([]float64, o.delta.cols)
	step := max(1, passElements/max(1, o.delta.cols))
	w := formats.BorrowFloats(step * o.delta.cols)
	defer formats.ReturnFloats(w)
	d := formats.BorrowFloats(step * o.delta.cols)
	defer formats.ReturnFloats(d)
	for lo := 0; lo < o.rows; lo += step {
		hi := min(lo+step, o.rows)
		n := (hi - lo) * o.delta.cols
		if err := o.base.ReadFloats(ctx, w[:n], lo, hi); err != nil {
			return nil, err
		}
		t := &Tile{Lo: lo, Hi: hi, Cols: o.delta.cols, Base: w[:n], W: w[:n]}
		if err := o.delta.Delta(ctx, t, d[:n]); err != nil {
			return nil, err
		}
		for i := 0; i < n; i += len(sums) {
			for j := range sums {
				x := float64(w[i+j] + d[i+j])
				sums[j] += x * x // exact in float64, so that fusing changes nothing
			}
		}
	}
	factors := make([]float32, len(sums))
	if err := o.magnitude.read(ctx, factors, 0); err != nil {
		return nil, err
	}
	for j := range factors {
		norm := float32(math.Sqrt(sums[j]))
		if norm == 0 && !o.magnitude.lenient {
			return nil, zeroNorm("column", j)
		}
		factors[j] /= norm
	}
	o.factors = factors
	return factors, nil
}

// passElements is about how many elements a pass over a tensor holds at once.
const passElements = 256 << 10

func (o *doraColumns) Scratch(n int) int64 {
	step := max(1, passElements/max(1, o.delta.cols))
	pass := 8*int64(step+2)*int64(o.delta.cols) + o.base.FloatScratch(step) + o.delta.Scratch(step)
	return pass + o.delta.Scratch(n) + differenceScratch(n*o.delta.cols)
}

// newDoRA returns the DoRA of a delta with its magnitudes, by rows or by columns.
// The magnitudes may have any shape: there is one for each output unit.
func newDoRA(delta *lowRank, magnitude values, base *formats.Tensor, rows int, byColumns bool, strength float32) (Rewriter, error) {
	units := rows
	if byColumns {
		units = delta.cols
	}
	if magnitude.NumElements() != units {
		return nil, &formats.Error{Path: magnitude.path(), Tensor: magnitude.Name, Err: formats.Reasonf(formats.ErrMismatch,
			"shape %v, but the layer has %d output units", magnitude.Shape, units)}
	}
	if byColumns {
		return &doraColumns{delta: delta, magnitude: magnitude, base: base, rows: rows, strength: strength}, nil
	}
	return &doraRows{delta: delta, magnitude: magnitude, strength: strength}, nil
}
