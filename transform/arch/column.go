package arch

import (
	"context"
	"slices"

	"github.com/loratool/loratool/formats"
)

// columnOrder is the op of a row order's biases where they are stacked, one row
// an expert: GGUF has the columns i, i+n, i+2n, … of each row.
type columnOrder struct{ i, n int }

func everyColumn(i, n int) op { return columnOrder{i, n} }

func (o columnOrder) toGGUF(_ *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	last := len(t.Shape) - 1
	if t.Shape[last]%o.n != 0 || t.DType.BlockLen() != 1 {
		return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "%v does not divide into %d parts", &t.Info, o.n))
	}
	shape := slices.Clone(t.Shape)
	shape[last] /= o.n
	return &formats.Tensor{Info: formats.Info{Name: name, DType: t.DType, Shape: shape}, Rows: &strided{t, o.i, o.n}}, nil
}

func (o columnOrder) toHF(_ *Config, parts []part, name string) (*formats.Tensor, error) {
	first := parts[0].tensor
	shape := slices.Clone(first.Shape)
	shape[len(shape)-1] *= len(parts)
	var from []*formats.Tensor
	for _, p := range parts {
		if p.tensor.DType != first.DType || !slices.Equal(p.tensor.Shape, first.Shape) {
			return nil, p.tensor.Error(formats.Reasonf(formats.ErrMismatch, "%v does not fit %q, %v", &p.tensor.Info, first.Name, &first.Info))
		}
		from = append(from, p.tensor)
	}
	return &formats.Tensor{Info: formats.Info{Name: name, DType: first.DType, Shape: shape}, Rows: &interleaved{from}}, nil
}

// strided are every n-th column of a tensor's rows, from the i-th on.
type strided struct {
	from *formats.Tensor
	i, n int
}

func (s *strided) Scratch(n int) int64 { return int64(n)*s.from.RowBytes() + s.from.Rows.Scratch(n) }

func (s *strided) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	raw := formats.BorrowBytes((hi - lo) * int(s.from.RowBytes()))
	defer formats.ReturnBytes(raw)
	if err := s.from.ReadRows(ctx, raw, lo, hi); err != nil {
		return err
	}
	size := s.from.DType.BlockBytes()
	for k := range len(dst) / size {
		copy(dst[k*size:(k+1)*size], raw[(k*s.n+s.i)*size:])
	}
	return nil
}

// interleaved are the rows of several tensors, column by column in turn.
type interleaved struct{ from []*formats.Tensor }

func (m *interleaved) Scratch(n int) int64 {
	var most int64
	for _, t := range m.from {
		most = max(most, t.Rows.Scratch(n))
	}
	return int64(n)*m.from[0].RowBytes() + most
}

func (m *interleaved) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	raw := formats.BorrowBytes((hi - lo) * int(m.from[0].RowBytes()))
	defer formats.ReturnBytes(raw)
	size, n := m.from[0].DType.BlockBytes(), len(m.from)
	for i, t := range m.from {
		if err := t.ReadRows(ctx, raw, lo, hi); err != nil {
			return err
		}
		for k := range len(raw) / size {
			copy(dst[(k*n+i)*size:], raw[k*size:(k+1)*size])
		}
	}
	return nil
}
