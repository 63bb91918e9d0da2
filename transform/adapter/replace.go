package adapter

import (
	"context"
	"slices"

	"github.com/loratool/loratool/kernels"
)

// replaceRows puts trained rows in the place of some rows of an embedding:
//
//	W'[rows[i], :] = values[i, :]
//
// PEFT calls the values trainable_tokens_delta, but they are no differences.
type replaceRows struct {
	values
	cols     int
	rows     []int // sorted
	at       []int // rows[i] is row at[i] of the values
	strength float32
}

// newReplaceRows sorts the rows. None may come twice.
func newReplaceRows(v values, cols int, rows []int, strength float32) *replaceRows {
	o := &replaceRows{values: v, cols: cols, strength: strength, at: make([]int, len(rows))}
	for i := range o.at {
		o.at[i] = i
	}
	slices.SortFunc(o.at, func(a, b int) int { return rows[a] - rows[b] })
	for _, i := range o.at {
		o.rows = append(o.rows, rows[i])
	}
	return o
}

func (o *replaceRows) Describe() OpInfo { return OpInfo{Kind: "tokens"} }

func (o *replaceRows) Whole() bool { return o.strength == 1 }

func (o *replaceRows) Delta(ctx context.Context, t *Tile, d []float32) error {
	return difference(ctx, o, o.strength, t, d)
}

func (o *replaceRows) Rewrite(ctx context.Context, t *Tile, _ []float32) error {
	i, _ := slices.BinarySearch(o.rows, t.Lo)
	for ; i < len(o.rows) && o.rows[i] < t.Hi; i++ {
		w := t.W[(o.rows[i]-t.Lo)*o.cols:][:o.cols]
		if err := o.read(ctx, w, o.at[i]*o.cols); err != nil {
			return err
		}
	}
	return nil
}

func (o *replaceRows) Scratch(n int) int64 {
	return o.scratch(o.cols) + differenceScratch(n*o.cols)
}

// replaceAll puts the adapter's tensor in the place of the base's, for the
// strengths at which that is no plain copy.
type replaceAll struct {
	values
	cols     int
	strength float32
}

func (o *replaceAll) Describe() OpInfo { return OpInfo{Kind: "replace"} }

func (o *replaceAll) Whole() bool { return o.strength == 1 }

func (o *replaceAll) Delta(ctx context.Context, t *Tile, d []float32) error {
	return difference(ctx, o, o.strength, t, d)
}

func (o *replaceAll) Rewrite(ctx context.Context, t *Tile, _ []float32) error {
	return o.read(ctx, t.W, t.Lo*o.cols)
}

func (o *replaceAll) Scratch(n int) int64 {
	return o.scratch(n*o.cols) + differenceScratch(n*o.cols)
}

// addVector adds a trained bias: b'[i] = b[i] + s·v[i].
type addVector struct {
	values
	scale float32 // s, with the strength
	info  OpInfo
}

func (o *addVector) Describe() OpInfo { return o.info }

func (o *addVector) Delta(ctx context.Context, t *Tile, d []float32) error {
	if err := o.read(ctx, d, t.Lo*t.Cols); err != nil {
		return err
	}
	kernels.Scale(d, o.scale)
	return nil
}

func (o *addVector) Scratch(n int) int64 { return o.scratch(n * o.NumElements()) }
