package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// roundedRows are a tensor's rows in another number format.
type roundedRows struct {
	from *formats.Tensor
	to   formats.DType
}

// Ground returns what the adapters change: the values that the target begins
// with, in the base's number format. An adapter that was trained in float32 may
// have its copy of an embedding so, but the base that it is merged into does not.
func (t *Target) Ground() *formats.Tensor {
	if t.Source.DType == t.DType || formats.Encoder(t.DType) == nil {
		return t.Source
	}
	info := t.Source.Info
	info.DType = t.DType
	return &formats.Tensor{Info: info, Rows: &roundedRows{t.Source, t.DType}}
}

func (r *roundedRows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * r.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := r.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	formats.Encoder(r.to)(dst, x)
	return nil
}

func (r *roundedRows) Scratch(n int) int64 {
	return 4*int64(n)*int64(r.from.NumCols()) + r.from.FloatScratch(n)
}
