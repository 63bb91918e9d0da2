package arch

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// shifted are a tensor's numbers with a constant added, as float32. Gemma's norms
// scale by one plus their weight in the one format and by their weight in the
// other.
type shifted struct {
	from *formats.Tensor
	by   float32
}

func shift(t *formats.Tensor, name string, by float32) *formats.Tensor {
	return &formats.Tensor{Info: formats.Info{Name: name, DType: formats.F32, Shape: t.Shape}, Rows: &shifted{t, by}}
}

func (s *shifted) Scratch(n int) int64 {
	return 4*int64(n)*int64(s.from.NumCols()) + s.from.FloatScratch(n)
}

func (s *shifted) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * s.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := s.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	for i := range x {
		x[i] += s.by
	}
	kernels.EncodeF32(dst, x)
	return nil
}

// transposed is a matrix turned round, or every matrix of a stack.
type transposed struct {
	from       *formats.Tensor // [batch…, rows, cols]
	rows, cols int             // of one matrix
	size       int             // bytes of an element
}

// transpose returns the tensor with its last two dimensions exchanged. Its number
// format has no blocks.
func transpose(t *formats.Tensor, name string) *formats.Tensor {
	n := len(t.Shape)
	shape := append([]int(nil), t.Shape...)
	shape[n-2], shape[n-1] = shape[n-1], shape[n-2]
	return &formats.Tensor{Info: formats.Info{Name: name, DType: t.DType, Shape: shape},
		Rows: &transposed{t, t.Shape[n-2], t.Shape[n-1], t.DType.BlockBytes()}}
}

// transposeChunk is how many source rows are in memory at a time.
const transposeChunk = 64

func (t *transposed) Scratch(int) int64 {
	return transposeChunk*t.from.RowBytes() + t.from.Rows.Scratch(transposeChunk)
}

// ReadRows reads all rows of the matrices that the wanted ones are columns of.
func (t *transposed) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	chunk := formats.BorrowBytes(transposeChunk * int(t.from.RowBytes()))
	defer formats.ReturnBytes(chunk)
	for lo < hi {
		matrix := lo / t.cols
		end := min(hi, (matrix+1)*t.cols)
		for r := 0; r < t.rows; r += transposeChunk {
			n := min(transposeChunk, t.rows-r)
			src := chunk[:n*int(t.from.RowBytes())]
			if err := t.from.ReadRows(ctx, src, matrix*t.rows+r, matrix*t.rows+r+n); err != nil {
				return err
			}
			for c := lo; c < end; c++ {
				t.column(dst[((c-lo)*t.rows+r)*t.size:], src, c%t.cols, n)
			}
		}
		dst = dst[(end-lo)*t.rows*t.size:]
		lo = end
	}
	return nil
}

// column copies one column of n rows to dst.
func (t *transposed) column(dst, src []byte, c, n int) {
	stride := t.cols * t.size
	for i := range n {
		copy(dst[i*t.size:(i+1)*t.size], src[i*stride+c*t.size:])
	}
}
