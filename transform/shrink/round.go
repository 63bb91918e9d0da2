package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// Round returns the model with what was decoded rounded to nearest even to the
// number format of [ComputeDType]: the numbers that loaders compute with.
func Round(m *formats.Model) *formats.Model {
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Metadata: m.Metadata, Files: m.Files, Inputs: m.Inputs}
	for _, t := range m.Tensors {
		if d := ComputeDType(t); d != formats.Invalid && d != t.DType {
			info := t.Info
			info.DType = d
			t = &formats.Tensor{Info: info, Rows: &rounded{t, d}}
		}
		out.Tensors = append(out.Tensors, t)
	}
	return out
}

// rounded are rows in another number format.
type rounded struct {
	from *formats.Tensor
	to   formats.DType
}

func (r *rounded) Scratch(n int) int64 {
	return 4*int64(n)*int64(r.from.NumCols()) + r.from.FloatScratch(n)
}

func (r *rounded) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * r.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := r.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	formats.Encoder(r.to)(dst, x)
	return nil
}
