package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// weights is a matrix that is to be quantized, or a stack of them.
type weights struct {
	*formats.Tensor
}

// read returns the rows [lo, hi), to be given back with ReturnFloats. It returns an error
// that names the element if a number is not finite: its group would be lost.
func (w weights) read(ctx context.Context, lo, hi int) ([]float32, error) {
	x := formats.BorrowFloats((hi - lo) * w.NumCols())
	err := w.ReadFloats(ctx, x, lo, hi)
	if err == nil {
		if i := kernels.FirstNonFinite(x); i >= 0 {
			t, element := w.at(lo*w.NumCols() + i)
			err = t.Error(formats.Reasonf(formats.ErrFormat, "element %d is %v, and would spoil its whole group", element, x[i]))
		}
	}
	if err != nil {
		formats.ReturnFloats(x)
		return nil, err
	}
	return x, nil
}

// at returns the tensor of the source that an element comes from, and its number there.
func (w weights) at(element int) (*formats.Tensor, int) {
	if s, ok := w.Rows.(*stacked); ok {
		size := s.rows * w.NumCols()
		return s.parts[element/size], element % size
	}
	return w.Tensor, element
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

// flatScratch is the memory that readFlat of n elements takes.
func (w weights) flatScratch(n int) int64 {
	return w.scratch(n/max(1, w.NumCols())+2) + 4*int64(n)
}

// How many elements are read at a time: numbers of a file no more than stay in a level-2
// cache, computed ones more, since computing has costs of its own for each time.
const (
	storedChunk   = 1 << 15
	computedChunk = 1 << 18
)

// chunk returns how many elements eachChunk reads at a time: whole pieces of the given
// size, and whole rows too unless that takes far more.
func (w weights) chunk(piece int) int {
	most := computedChunk
	if w.Rows.Scratch(1) == 0 {
		most = storedChunk
	}
	unit := piece
	if both := leastCommonMultiple(piece, w.NumCols()); both <= most {
		unit = both
	}
	return max(1, most/unit) * unit
}

func leastCommonMultiple(a, b int) int {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// eachChunk calls f with the elements [from, to) in order, some whole pieces of them at a
// time; from is where a piece begins.
func (w weights) eachChunk(ctx context.Context, from, to, piece int, f func(at int, x []float32) error) error {
	step := w.chunk(piece)
	for at := from; at < to; {
		end := min(to, (at/step+1)*step)
		x, err := w.readFlat(ctx, at, end)
		if err != nil {
			return err
		}
		err = f(at, x)
		formats.ReturnFloats(x)
		if err != nil {
			return err
		}
		at = end
	}
	return nil
}

// stacked are the rows of several matrices of one shape, one after another.
type stacked struct {
	parts []*formats.Tensor
	rows  int // of each
}

// stack returns the matrices as one tensor [len(parts), rows, cols].
func stack(name string, parts []*formats.Tensor) *formats.Tensor {
	first := parts[0]
	return tensor(name, first.DType, &stacked{parts, first.NumRows()}, len(parts), first.Shape[0], first.Shape[1])
}

func (s *stacked) Scratch(n int) (most int64) {
	for _, t := range s.parts {
		most = max(most, t.Rows.Scratch(min(n, s.rows)))
	}
	return most
}

func (s *stacked) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	for at := lo; at < hi; {
		i := at / s.rows
		end := min(hi, (i+1)*s.rows)
		n := int64(end-at) * s.parts[i].RowBytes()
		if err := s.parts[i].ReadRows(ctx, dst[:n], at-i*s.rows, end-i*s.rows); err != nil {
			return err
		}
		dst, at = dst[n:], end
	}
	return nil
}
