package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// weights is a matrix that is to be quantized.
type weights struct {
	*formats.Tensor
}

// read returns the rows [lo, hi), to be given back with ReturnFloats. It returns an error
// that names the element if a number is not finite: its group would be lost.
func (w weights) read(ctx context.Context, lo, hi int) ([]float32, error) {
	x := formats.BorrowFloats((hi - lo) * w.NumCols())
	if err := w.ReadFloats(ctx, x, lo, hi); err != nil {
		return nil, err
	}
	if i := kernels.FirstNonFinite(x); i >= 0 {
		return nil, w.Error(formats.Reasonf(formats.ErrFormat, "element %d is %v, and would spoil its whole group", lo*w.NumCols()+i, x[i]))
	}
	return x, nil
}

// readFlat is read of the elements [from, to) in storage order.
func (w weights) readFlat(ctx context.Context, from, to int) ([]float32, error) {
	cols := w.NumCols()
	lo, hi := from/cols, (to+cols-1)/cols
	x, err := w.read(ctx, lo, hi)
	if err != nil || from == lo*cols && to == hi*cols {
		return x, err
	}
	part := formats.BorrowFloats(to - from)
	copy(part, x[from-lo*cols:])
	formats.ReturnFloats(x)
	return part, nil
}

// scratch is the memory that read of n rows takes.
func (w weights) scratch(n int) int64 {
	return 4*int64(n)*int64(w.NumCols()) + w.FloatScratch(n)
}

// chunk is how many elements are read at a time where all of a matrix must be.
const chunk = 1 << 16

// eachChunk calls f with all elements in order, size at a time; size is a multiple of
// what f takes together.
func (w weights) eachChunk(ctx context.Context, size int, f func(at int, x []float32) error) error {
	n := w.NumElements()
	for at := 0; at < n; at += size {
		x, err := w.readFlat(ctx, at, min(at+size, n))
		if err != nil {
			return err
		}
		err = f(at, x)
		formats.ReturnFloats(x)
		if err != nil {
			return err
		}
	}
	return nil
}

// chunkScratch is the memory that eachChunk takes.
func (w weights) chunkScratch() int64 { return w.scratch(chunk/max(1, w.NumCols())+2) + 8*chunk }

// tensor returns a computed tensor.
func tensor(name string, d formats.DType, rows formats.Rows, shape ...int) *formats.Tensor {
	return &formats.Tensor{Info: formats.Info{Name: name, DType: d, Shape: shape}, Rows: rows}
}

// fixed are the rows of a small tensor whose bytes are known.
type fixed struct {
	rowBytes int
	data     []byte
}

// constant returns a tensor of known bytes.
func constant(name string, d formats.DType, data []byte, shape ...int) *formats.Tensor {
	t := tensor(name, d, nil, shape...)
	t.Rows = &fixed{int(t.RowBytes()), data}
	return t
}

func (f *fixed) Scratch(int) int64 { return 0 }

func (f *fixed) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	copy(dst, f.data[lo*f.rowBytes:hi*f.rowBytes])
	return nil
}

// coded are rows that are made of the same rows of a matrix.
type coded struct {
	from    weights
	scratch int64 // bytes per element of the matrix, beside reading it
	encode  func(dst []byte, x []float32)
}

func (c *coded) Scratch(n int) int64 {
	return c.from.scratch(n) + c.scratch*int64(n)*int64(c.from.NumCols())
}

func (c *coded) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x, err := c.from.read(ctx, lo, hi)
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(x)
	c.encode(dst, x)
	return nil
}

// whole are the rows of a tensor of one row, or of few, that takes all of a matrix.
type whole struct {
	from weights
	fill func(ctx context.Context, dst []byte) error
}

func (w *whole) Scratch(int) int64 { return w.from.chunkScratch() }

func (w *whole) ReadRows(ctx context.Context, dst []byte, _, _ int) error { return w.fill(ctx, dst) }
