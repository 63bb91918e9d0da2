package adapter

import (
	"github.com/loratool/loratool/formats"
)

// A Target is a tensor of the merged model: what its values begin with, and what
// the adapters do to them.
type Target struct {
	formats.Info                 // name, number format and shape in the output
	Base         *formats.Tensor // nil if the base has none of that name
	Source       *formats.Tensor // where the values come from: the base, or an adapter that replaces them
	SourceOf     int             // index of that adapter; -1 for the base
	Ops          []Applied       // in the order of the adapters
	MatrixCols   int             // elements of a row in Tile's sense
}

// An Applied is an op with the adapter that it comes from.
type Applied struct {
	Op
	Adapter  int // index
	Strength float64
}

func newTarget(t *formats.Tensor) *Target {
	return &Target{Info: t.Info, Base: t, Source: t, SourceOf: -1, MatrixCols: t.NumCols()}
}

// Touched reports whether anything becomes of the tensor but a copy.
func (t *Target) Touched() bool {
	return t.Base == nil || t.Source != t.Base || len(t.Ops) > 0 || t.Name != t.Base.Name
}

// MatrixRows returns the number of rows in Tile's sense.
func (t *Target) MatrixRows() int {
	if t.MatrixCols == 0 {
		return 0
	}
	return t.NumElements() / t.MatrixCols
}

// isMatrix reports whether the tensor has two dimensions.
func (t *Target) isMatrix() bool { return len(t.Shape) == 2 }
