package transform

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/adapter"
)

// mergedRows are the rows of a tensor with adapters merged into it.
type mergedRows struct {
	target   *adapter.Target
	to       formats.DType
	rounding Rounding
	lenient  bool // let NaN and infinities pass
}

// unit returns how many rows of the tensor are one row of the target as a matrix:
// more than one for convolutions.
func (r *mergedRows) unit() int { return max(1, r.target.MatrixCols/max(1, r.target.NumCols())) }

// source returns what is read: for a tensor that is only replaced, the values as
// the adapter has them, which are then rounded once.
func (r *mergedRows) source() *formats.Tensor {
	if len(r.target.Ops) == 0 {
		return r.target.Source
	}
	return r.target.Ground()
}

func (r *mergedRows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if len(dst) == 0 {
		return nil
	}
	unit, cols := r.unit(), r.target.MatrixCols
	from, to := lo/unit, (hi+unit-1)/unit
	w := formats.BorrowFloats((to - from) * cols)
	defer formats.ReturnFloats(w)
	if err := r.source().ReadFloats(ctx, w, from*unit, to*unit); err != nil {
		return err
	}
	t := &adapter.Tile{Lo: from, Hi: to, Cols: cols, Base: w, W: w}
	if err := r.merge(ctx, t); err != nil {
		return r.named(err)
	}
	first := (lo - from*unit) * r.target.NumCols()
	w = w[first:][:(hi-lo)*r.target.NumCols()]
	if err := r.check(w, lo*r.target.NumCols()); err != nil {
		return err
	}
	formats.Encoder(r.to)(dst, w)
	return nil
}

// named adds the tensor's name to an error that has none.
func (r *mergedRows) named(err error) error {
	if e, ok := err.(*formats.Error); ok && e.Tensor == "" {
		e.Tensor = r.target.Name
	}
	return err
}

// Scratch counts the rows as whole rows of the matrix, of which a block may begin
// and end with a part.
func (r *mergedRows) Scratch(n int) int64 {
	unit := r.unit()
	rows := n/unit + 2
	if unit == 1 {
		rows = n
	}
	elements := int64(rows) * int64(r.target.MatrixCols)
	total := 4*elements + r.source().FloatScratch(rows*unit)
	var most int64
	for _, op := range r.target.Ops {
		most = max(most, op.Scratch(rows))
	}
	if len(r.target.Ops) > 0 {
		total += 4 * elements * 3 // the change, a second one or the base, and its rounding
	}
	return total + most
}

// merge applies the ops to the tile, which holds the base's values.
func (r *mergedRows) merge(ctx context.Context, t *adapter.Tile) error {
	if len(r.target.Ops) == 0 {
		return nil
	}
	d := formats.BorrowFloats(len(t.W))
	defer formats.ReturnFloats(d)
	if r.rounding == RoundSingle {
		return r.mergeAtOnce(ctx, t, d)
	}
	return r.mergeInTurn(ctx, t, d)
}

// mergeAtOnce adds the sum of all changes.
func (r *mergedRows) mergeAtOnce(ctx context.Context, t *adapter.Tile, d []float32) error {
	ops := r.target.Ops
	if op, ok := ops[0].Op.(adapter.Rewriter); ok && len(ops) == 1 && op.Whole() {
		return op.Rewrite(ctx, t, d)
	}
	if err := ops[0].Delta(ctx, t, d); err != nil {
		return err
	}
	if len(ops) > 1 {
		next := formats.BorrowFloats(len(d))
		defer formats.ReturnFloats(next)
		for _, op := range ops[1:] {
			if err := op.Delta(ctx, t, next); err != nil {
				return err
			}
			kernels.AddScaled(d, 1, next)
		}
	}
	kernels.AddScaled(t.W, 1, d)
	return nil
}

// mergeInTurn applies one op after another, with PEFT's roundings.
func (r *mergedRows) mergeInTurn(ctx context.Context, t *adapter.Tile, d []float32) error {
	if len(r.target.Ops) > 1 {
		base := formats.BorrowFloats(len(t.W))
		defer formats.ReturnFloats(base)
		copy(base, t.W)
		t.Base = base
	}
	for _, op := range r.target.Ops {
		if rewriter, ok := op.Op.(adapter.Rewriter); ok && rewriter.Whole() {
			if err := rewriter.Rewrite(ctx, t, d); err != nil {
				return err
			}
		} else {
			if err := op.Delta(ctx, t, d); err != nil {
				return err
			}
			info := op.Describe()
			if info.RoundsDelta || r.rounding == RoundPEFTSafe && info.Kind == "lora" {
				r.round(d)
			}
			kernels.AddScaled(t.W, 1, d)
		}
		r.round(t.W)
	}
	return nil
}

// round rounds values to the base's number format.
func (r *mergedRows) round(x []float32) {
	d := r.target.DType
	if d == formats.F32 {
		return
	}
	raw := formats.BorrowBytes(len(x) * d.BlockBytes())
	defer formats.ReturnBytes(raw)
	formats.Encoder(d)(raw, x)
	formats.Decoder(d)(x, raw)
}

// check returns an error if a value is not finite, or would not be in the
// output's number format. w are consecutive elements from the given one on.
// Values beyond the range of 8-bit floats become the largest ones instead: that
// is how such formats are used.
func (r *mergedRows) check(w []float32, from int) error {
	switch r.to {
	case formats.F8_E4M3:
		clamp(w, 448)
	case formats.F8_E5M2:
		clamp(w, 57344)
	}
	if r.lenient {
		return nil
	}
	if i := kernels.FirstNonFinite(w); i >= 0 {
		what := "infinite (Inf)"
		if w[i] != w[i] {
			what = "NaN"
		}
		return &formats.Error{Tensor: r.target.Name, Err: formats.Reasonf(formats.ErrMismatch, "element %d of the merged tensor is %s", from+i, what),
			Hint: "look at base and adapter with `loratool verify`; --allow-nonfinite merges them all the same"}
	}
	var overflow int
	switch r.to {
	case formats.F16:
		overflow, _ = kernels.CountF16(w)
	case formats.BF16:
		overflow, _ = kernels.CountBF16(w)
	}
	if overflow == 0 {
		return nil
	}
	limit := map[formats.DType]float64{formats.F16: 65520, formats.BF16: math.Ldexp(1-math.Ldexp(1, -9), 128)}[r.to]
	for i, v := range w {
		if math.Abs(float64(v)) >= limit {
			return &formats.Error{Tensor: r.target.Name, Err: formats.Reasonf(formats.ErrMismatch, "overflow: element %d of the merged tensor is %v, which %v can't hold", from+i, v, r.to),
				Hint: "choose a format of greater range, such as --dtype bf16; --allow-nonfinite writes infinity"}
		}
	}
	return nil
}

// clamp limits values to ±most.
func clamp(x []float32, most float32) {
	for i, v := range x {
		if v > most {
			x[i] = most
		} else if v < -most {
			x[i] = -most
		}
	}
}
