package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// grouped are the rows of a matrix whose codes lie row by row and whose scales, and
// biases if there are any, belong to tiles of tall rows and group columns:
//
//	w[r][c] = code[r][c] · scale[r/tall][c/group] + bias[r/tall][c/group]
//
// with the product and the sum rounded to float32.
type grouped struct {
	computing
	rows, cols int
	first      int // row of the codes that is row 0: experts may share a tensor

	codes  *formats.Tensor
	bits   int                               // of a code
	unpack func(dst []float32, codes []byte) // codes of one row, from a whole byte on

	scales      *formats.Tensor // [rows/tall, cols/group], whatever the shape says
	scale       func(dst []float32, src []byte)
	biases      *formats.Tensor // in the format of the scales; nil for none
	group, tall int
	global      global
	after       float32 // a factor of the product, rounded on its own; 0 for none
}

// A global is a further factor that all scales of a matrix share. The zero value is
// none. Dividing by it is not the same as multiplying by its reciprocal.
type global struct {
	factor  float32
	divides bool // the scale; otherwise the factor multiplies it
}

func (g global) apply(s []float32) {
	switch {
	case g.factor == 0:
	case g.divides:
		for i := range s {
			s[i] /= g.factor
		}
	default:
		kernels.Scale(s, g.factor)
	}
}

func (g *grouped) groups() int { return (g.cols + g.group - 1) / g.group }

func (g *grouped) Scratch(n int) int64 {
	return int64(n)*int64(g.rowBytes()) + 16*int64(g.groups())*int64(n/g.tall+2) + rectangleBytes
}

func (g *grouped) rowBytes() int { return (g.cols*g.bits + 7) / 8 }

func (g *grouped) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * g.cols)
	defer formats.ReturnFloats(x)
	if err := g.read(ctx, x, lo, hi, 0, g.cols); err != nil {
		return err
	}
	kernels.EncodeF32(dst, x)
	return nil
}

// read decodes the rows [lo, hi) of the columns [from, to), which begin and end with
// a group.
func (g *grouped) read(ctx context.Context, dst []float32, lo, hi, from, to int) error {
	width := to - from
	raw := formats.BorrowBytes((hi - lo) * ((width*g.bits + 7) / 8))
	defer formats.ReturnBytes(raw)
	if err := readRectangle(ctx, g.codes, raw, lo+g.first, hi+g.first, g.rowBytes(), from*g.bits/8, (to*g.bits+7)/8); err != nil {
		return err
	}
	s, err := g.readScales(ctx, g.scales, lo, hi, from, to)
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(s)
	g.global.apply(s)
	b, err := g.readScales(ctx, g.biases, lo, hi, from, to)
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(b)
	rowBytes, perRow := (width*g.bits+7)/8, (width+g.group-1)/g.group
	for r := lo; r < hi; r++ {
		row := dst[(r-lo)*width:][:width]
		g.unpack(row, raw[(r-lo)*rowBytes:][:rowBytes])
		at := (r/g.tall - lo/g.tall) * perRow
		scale, bias := s[at:][:perRow], b
		if b != nil {
			bias = b[at:][:perRow]
		}
		scaleGroups(row, scale, bias, g.group)
	}
	if g.after != 0 {
		kernels.Scale(dst, g.after)
	}
	return nil
}

// scaleGroups multiplies groups of values by their scales and adds their biases, if
// there are any.
func scaleGroups(x, scales, biases []float32, group int) {
	for i, s := range scales {
		part := x[i*group : min((i+1)*group, len(x))]
		if biases == nil {
			kernels.Scale(part, s)
			continue
		}
		b := biases[i]
		for j, v := range part {
			part[j] = float32(v*s) + b
		}
	}
}

// readScales reads the scales, or biases, of a rectangle; nil for a nil tensor.
func (g *grouped) readScales(ctx context.Context, t *formats.Tensor, lo, hi, from, to int) ([]float32, error) {
	if t == nil {
		return nil, nil
	}
	first, last := lo/g.tall, (hi+g.tall-1)/g.tall
	size, groups := t.DType.BlockBytes(), g.groups()
	a, b := from/g.group, (to+g.group-1)/g.group
	raw := formats.BorrowBytes((last - first) * (b - a) * size)
	defer formats.ReturnBytes(raw)
	start := g.first / g.tall
	if err := readRectangle(ctx, t, raw, first+start, last+start, groups*size, a*size, b*size); err != nil {
		return nil, err
	}
	s := formats.BorrowFloats((last - first) * (b - a))
	g.scale(s, raw)
	if i := kernels.FirstNonFinite(s); i >= 0 {
		bad := s[i]
		formats.ReturnFloats(s)
		return nil, t.Error(formats.Reasonf(formats.ErrFormat, "the scale in row %d, group %d is %v", first+start+i/(b-a), a+i%(b-a), bad))
	}
	return s, nil
}

// readRectangle fills dst with the bytes [from, to) of the rows [lo, hi) of a tensor
// that is taken as rows of rowBytes bytes.
func readRectangle(ctx context.Context, t *formats.Tensor, dst []byte, lo, hi, rowBytes, from, to int) error {
	if from == 0 && to == rowBytes {
		return readBytes(ctx, t, dst, int64(lo)*int64(rowBytes))
	}
	width := to - from
	if rowBytes > wholeRow {
		for r := lo; r < hi; r++ {
			if err := readBytes(ctx, t, dst[(r-lo)*width:][:width], int64(r)*int64(rowBytes)+int64(from)); err != nil {
				return err
			}
		}
		return nil
	}
	step := rectangleBytes / rowBytes
	raw := formats.BorrowBytes(min(step, hi-lo) * rowBytes)
	defer formats.ReturnBytes(raw)
	for ; lo < hi; lo += step {
		rows := raw[:min(step, hi-lo)*rowBytes]
		if err := readBytes(ctx, t, rows, int64(lo)*int64(rowBytes)); err != nil {
			return err
		}
		for ; len(rows) > 0; rows = rows[rowBytes:] {
			dst = dst[copy(dst, rows[from:to]):]
		}
	}
	return nil
}

// A row of no more than wholeRow bytes is read faster than a part of it is asked for;
// rectangleBytes of such rows are read at a time.
const (
	wholeRow       = 4096
	rectangleBytes = 64 << 10
)

// readBytes fills dst with the bytes of a tensor's data from the given one on.
func readBytes(ctx context.Context, t *formats.Tensor, dst []byte, offset int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e := t.Extent(); e != nil {
		return e.ReadAt(dst, offset)
	}
	if f, ok := t.Rows.(*fixed); ok {
		copy(dst, f.data[offset:])
		return nil
	}
	if j, i := t.Joint(); j != nil {
		return j.ReadAt(ctx, i, dst, offset)
	}
	size := t.RowBytes()
	lo, hi := offset/size, (offset+int64(len(dst))+size-1)/size
	raw := formats.BorrowBytes(int((hi - lo) * size))
	defer formats.ReturnBytes(raw)
	if err := t.ReadRows(ctx, raw, int(lo), int(hi)); err != nil {
		return err
	}
	copy(dst, raw[offset-lo*size:])
	return nil
}

// readAll returns all numbers of a small tensor.
func readAll(t *formats.Tensor) ([]float32, error) {
	x := make([]float32, t.NumElements())
	if err := t.ReadFloats(background, x, 0, t.NumRows()); err != nil {
		return nil, err
	}
	if i := kernels.FirstNonFinite(x); i >= 0 {
		return nil, t.Error(formats.Reasonf(formats.ErrFormat, "element %d is %v", i, x[i]))
	}
	return x, nil
}
