package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// A Tile is a range of rows of a tensor seen as a matrix: [Lo, Hi) of rows of
// Cols elements. For a convolution, a row is all of one output channel.
type Tile struct {
	Lo, Hi int
	Cols   int
	Base   []float32 // the values before any adapter
	W      []float32 // the values now; may be the same slice as Base
}

// rows returns the number of rows.
func (t *Tile) rows() int { return t.Hi - t.Lo }

// An Op is what one adapter does to one tensor. Ops are stateless or compute
// their state once, safe for concurrent use, and give the same numbers however a
// tensor is divided into tiles.
type Op interface {
	// Describe says what the op is, for reports.
	Describe() OpInfo

	// Delta fills d with the change that the op makes to the tile's base, times
	// the adapter's strength.
	Delta(ctx context.Context, t *Tile, d []float32) error

	// Scratch bounds the memory in bytes that Delta and Rewrite of n rows take
	// beside their arguments.
	Scratch(n int) int64
}

// A Rewriter is an Op that is no plain addition: it computes the new values from
// the old ones. Where it is all that happens to a tensor, with strength 1, its
// result counts as it is, without the detour by a difference.
type Rewriter interface {
	Op

	// Rewrite replaces t.W by the new values. d is memory for as many.
	Rewrite(ctx context.Context, t *Tile, d []float32) error

	// Whole reports whether the adapter's strength is 1.
	Whole() bool
}

// OpInfo describes an [Op].
type OpInfo struct {
	Kind  string  `json:"kind"`            // "lora", "dora", "replace", …
	Rank  int     `json:"rank,omitempty"`  //
	Scale float64 `json:"scale,omitempty"` // without the strength
	// RoundsDelta is true of the additions that PEFT rounds to the base's number
	// format before it adds them: embeddings, fused experts, attention as a whole.
	RoundsDelta bool `json:"-"`
}

// difference fills d with strength · (Rewrite(base) − base).
func difference(ctx context.Context, op Rewriter, strength float32, t *Tile, d []float32) error {
	w := formats.BorrowFloats(len(t.Base))
	defer formats.ReturnFloats(w)
	copy(w, t.Base)
	if err := op.Rewrite(ctx, &Tile{Lo: t.Lo, Hi: t.Hi, Cols: t.Cols, Base: t.Base, W: w}, d); err != nil {
		return err
	}
	kernels.Sub(d, w, t.Base)
	if strength != 1 {
		kernels.Scale(d, strength)
	}
	return nil
}

// differenceScratch bounds what difference takes for n elements.
func differenceScratch(n int) int64 { return 4 * int64(n) }
