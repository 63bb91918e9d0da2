package transform

import (
	"bytes"
	"context"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
)

// A TensorDiff says how a tensor of one model differs from that of the same name
// in another.
type TensorDiff struct {
	Name string        `json:"name"`
	A    *formats.Info `json:"a"` // nil if A lacks it
	B    *formats.Info `json:"b"` // nil if B lacks it

	// Equal says that number format, shape and bytes are the same. Of tensors
	// that differ only so far as the shape is the same, Compared says that their
	// numbers could be compared, and the rest is how much they differ.
	Equal    bool `json:"equal"`
	Compared bool `json:"compared"`

	MaxAbs         float64 `json:"max_abs"`         // max |a−b|
	NormDifference float64 `json:"norm_difference"` // ‖a−b‖, the Frobenius norm
	NormA          float64 `json:"norm_a"`          // ‖a‖
	NonFinite      int64   `json:"non_finite"`      // pairs left out: a NaN or an infinity without its like
}

// RelativeError returns ‖a−b‖ / ‖a‖: 0 if the numbers are equal, and infinity if
// only a is zero.
func (d *TensorDiff) RelativeError() float64 {
	if d.NormDifference == 0 {
		return 0
	}
	return d.NormDifference / d.NormA
}

// Same reports whether the numbers are the same, whatever their format.
func (d *TensorDiff) Same() bool {
	return d.Equal || d.Compared && d.MaxAbs == 0 && d.NonFinite == 0
}

// Diff compares two models tensor by tensor, in the order of a with what only b
// has at the end. Tensors of equal bytes are read once; the others are read as
// numbers then: as float32, or as float64 where that is needed. Norms are summed
// in float64, in an order that does not depend on o.
func Diff(ctx context.Context, a, b *formats.Model, o Options) ([]*TensorDiff, error) {
	var diffs []*TensorDiff
	for _, t := range a.Tensors {
		d := &TensorDiff{Name: t.Name, A: &t.Info}
		if u := b.Tensor(t.Name); u != nil {
			d.B = &u.Info
		}
		diffs = append(diffs, d)
	}
	for _, u := range b.Tensors {
		if a.Tensor(u.Name) == nil {
			diffs = append(diffs, &TensorDiff{Name: u.Name, B: &u.Info})
		}
	}
	if err := compareBytes(ctx, a, b, diffs, o); err != nil {
		return nil, err
	}
	if err := compareNumbers(ctx, a, b, diffs, o); err != nil {
		return nil, err
	}
	return diffs, unchanged(slices.Concat(a.Inputs, b.Inputs))
}

// compareBytes finds out which tensors are equal.
func compareBytes(ctx context.Context, a, b *formats.Model, diffs []*TensorDiff, o Options) error {
	var items []scanItem
	var pairs []pair
	for _, d := range diffs {
		if d.A == nil || d.B == nil || d.A.DType != d.B.DType || !slices.Equal(d.A.Shape, d.B.Shape) {
			continue
		}
		p := pair{diff: d, a: a.Tensor(d.Name), b: b.Tensor(d.Name)}
		it := p.item(func(n int) int64 { return 2*int64(n)*p.a.RowBytes() + p.a.Rows.Scratch(n) + p.b.Rows.Scratch(n) })
		p.different = make([]bool, it.numBlocks())
		pairs, items = append(pairs, p), append(items, it)
	}
	err := scan(ctx, items, &o, func(ctx context.Context, i, block, lo, hi int) error {
		p := &pairs[i]
		x := formats.BorrowBytes((hi - lo) * int(p.a.RowBytes()))
		defer formats.ReturnBytes(x)
		y := formats.BorrowBytes(len(x))
		defer formats.ReturnBytes(y)
		if err := p.a.ReadRows(ctx, x, lo, hi); err != nil {
			return p.a.Error(err)
		}
		if err := p.b.ReadRows(ctx, y, lo, hi); err != nil {
			return p.b.Error(err)
		}
		p.different[block] = !bytes.Equal(x, y)
		return nil
	})
	for _, p := range pairs {
		p.diff.Equal = !slices.Contains(p.different, true)
	}
	return err
}

// compareNumbers finds out by how much the other tensors differ.
func compareNumbers(ctx context.Context, a, b *formats.Model, diffs []*TensorDiff, o Options) error {
	var items []scanItem
	var pairs []pair
	for _, d := range diffs {
		if d.Equal || d.A == nil || d.B == nil || !slices.Equal(d.A.Shape, d.B.Shape) ||
			d.A.NumCols() != d.B.NumCols() || !numeric(d.A.DType) || !numeric(d.B.DType) {
			continue
		}
		d.Compared = true
		p := pair{diff: d, a: a.Tensor(d.Name), b: b.Tensor(d.Name)}
		it := p.item(p.numberCost)
		p.distance = make([]distance, it.numBlocks())
		pairs, items = append(pairs, p), append(items, it)
	}
	err := scan(ctx, items, &o, func(ctx context.Context, i, block, lo, hi int) error {
		return pairs[i].measure(ctx, &pairs[i].distance[block], lo, hi)
	})
	for _, p := range pairs {
		var sum distance
		for _, s := range p.distance {
			sum.add(s)
		}
		p.diff.MaxAbs, p.diff.NonFinite = sum.maxAbs, sum.nonFinite
		p.diff.NormDifference, p.diff.NormA = math.Sqrt(sum.squares), math.Sqrt(sum.squaresA)
	}
	return err
}

// A pair is two tensors of one name and shape, with a result for each block.
type pair struct {
	diff      *TensorDiff
	a, b      *formats.Tensor
	different []bool
	distance  []distance
}

func (p *pair) item(cost func(int) int64) scanItem {
	return scanItem{name: p.a.Name, rows: p.a.NumRows(), rowBytes: p.a.RowBytes(), cost: cost}
}
