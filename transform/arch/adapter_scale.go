package arch

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/adapter"
)

// correction returns what B must be multiplied by so that alpha/rank is the true
// scale. An alpha of 0 means a scale of 1 to llama.cpp.
func correction(c *adapter.Config, name string) float32 {
	scale := c.ScaleOf(name)
	if c.Alpha == 0 {
		return float32(scale)
	}
	return float32(scale / (c.Alpha / float64(c.RankOf(name))))
}

// multiplied are a tensor's numbers times a constant, as float32.
type multiplied struct {
	from *formats.Tensor
	by   float32
}

// scaled returns the tensor times a constant: itself if that is 1.
func scaled(t *formats.Tensor, by float32) *formats.Tensor {
	if by == 1 {
		return t
	}
	return &formats.Tensor{Info: formats.Info{Name: t.Name, DType: formats.F32, Shape: t.Shape}, Rows: &multiplied{t, by}}
}

func (m *multiplied) Scratch(n int) int64 {
	return 4*int64(n)*int64(m.from.NumCols()) + m.from.FloatScratch(n)
}

func (m *multiplied) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * m.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := m.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	kernels.Scale(x, m.by)
	kernels.EncodeF32(dst, x)
	return nil
}
