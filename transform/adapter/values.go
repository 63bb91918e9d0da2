package adapter

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// values are the elements of an adapter's tensor in row-major order, as float32.
type values struct {
	*formats.Tensor
	lenient bool // let NaN and infinities pass
}

// read fills dst with consecutive elements from the given one on.
func (v values) read(ctx context.Context, dst []float32, from int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) == 0 {
		return nil
	}
	if err := v.decode(ctx, dst, from); err != nil {
		return v.Error(err)
	}
	return v.check(dst, from, 1)
}

func (v values) decode(ctx context.Context, dst []float32, from int) error {
	if e := v.Extent(); e != nil {
		size := v.DType.BlockBytes()
		raw := formats.BorrowBytes(len(dst) * size)
		defer formats.ReturnBytes(raw)
		if err := e.ReadAt(raw, int64(from)*int64(size)); err != nil {
			return err
		}
		formats.Decoder(v.DType)(dst, raw)
		return nil
	}
	cols := v.NumCols()
	lo, hi := from/cols, (from+len(dst)-1)/cols+1
	buf := formats.BorrowFloats((hi - lo) * cols)
	defer formats.ReturnFloats(buf)
	if err := v.ReadFloats(ctx, buf, lo, hi); err != nil {
		return err
	}
	copy(dst, buf[from-lo*cols:])
	return nil
}

// gather fills dst, of shape [n, count], with count elements each of n groups:
// those at from + i·stride + k·step. Neighbouring groups are read together.
func (v values) gather(ctx context.Context, dst []float32, n, count, from, stride, step int) error {
	if count == 0 {
		return nil
	}
	size := v.DType.BlockBytes()
	span := (count-1)*step + 1 // from a group's first element to its last
	together := max(1, gatherBytes/(stride*size))
	buf := formats.BorrowFloats((together-1)*stride + span)
	defer formats.ReturnFloats(buf)
	for i := 0; i < n; i += together {
		m := min(together, n-i)
		block := buf[:(m-1)*stride+span]
		if err := v.decode(ctx, block, from+i*stride); err != nil {
			return v.Error(err)
		}
		for j := range m {
			row := dst[(i+j)*count : (i+j+1)*count]
			for k := range row {
				row[k] = block[j*stride+k*step]
			}
			if err := v.check(row, from+(i+j)*stride, step); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// gatherBytes is about how much gather reads at once.
const gatherBytes = 128 << 10

// scratch bounds what reading n consecutive elements takes beside their place.
func (v values) scratch(n int) int64 {
	if v.Extent() != nil {
		return int64(n) * int64(v.DType.BlockBytes())
	}
	rows := n/max(1, v.NumCols()) + 2
	return 4*int64(rows)*int64(v.NumCols()) + v.FloatScratch(rows)
}

// check returns an error that names the first of the elements x, which are step
// apart from the given one on, that is NaN or infinite.
func (v values) check(x []float32, from, step int) error {
	if v.lenient {
		return nil
	}
	i := kernels.FirstNonFinite(x)
	if i < 0 {
		return nil
	}
	path := v.path()
	return &formats.Error{Path: path, Tensor: v.Name,
		Err:  formats.Reasonf(formats.ErrMismatch, "element %d is %s", from+i*step, nonFinite(x[i])),
		Hint: "the training of this adapter diverged, or its file is damaged; --allow-nonfinite merges it all the same"}
}

// path returns the file that the tensor lies in, or "".
func (v values) path() string {
	if e := v.Extent(); e != nil {
		return e.File.Path
	}
	return ""
}

// nonFinite names a value that is not finite.
func nonFinite(x float32) string {
	switch {
	case x != x:
		return "NaN"
	case math.IsInf(float64(x), 1):
		return "Inf"
	}
	return "-Inf"
}
