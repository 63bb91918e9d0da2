package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// encodeMLX returns the tensors of a matrix, or of a stack of them, in MLX's affine mode:
// the bytes of mlx_lm.convert. Codes are made with scales and biases in float32, which
// are rounded only then.
func encodeMLX(module string, w weights, bits, group int, half formats.DType) []*formats.Tensor {
	outer := w.Shape[:len(w.Shape)-1]
	k := w.NumCols()
	shape := func(last int) []int { return append(append([]int{}, outer...), last) }
	params := func(x []float32) (scales, biases []float32) {
		n := len(x) / group
		scales, biases = formats.BorrowFloats(n), formats.BorrowFloats(n)
		kernels.AffineGroups(scales, biases, x, group, bits)
		return scales, biases
	}
	encode := formats.Encoder(half)
	return []*formats.Tensor{
		tensor(module+".weight", formats.U32, &coded{w, 2, func(dst []byte, x []float32) {
			scales, biases := params(x)
			defer formats.ReturnFloats(scales)
			defer formats.ReturnFloats(biases)
			if bits == 8 {
				kernels.EncodeAffine(dst, x, scales, biases, group, bits)
				return
			}
			levels := formats.BorrowBytes(len(x))
			defer formats.ReturnBytes(levels)
			kernels.EncodeAffine(levels, x, scales, biases, group, bits)
			kernels.PackNibbles(dst, levels)
		}}, shape(k*bits/32)...),
		tensor(module+".scales", half, &coded{w, 1, func(dst []byte, x []float32) {
			scales, biases := params(x)
			encode(dst, scales)
			formats.ReturnFloats(scales)
			formats.ReturnFloats(biases)
		}}, shape(k/group)...),
		tensor(module+".biases", half, &coded{w, 1, func(dst []byte, x []float32) {
			scales, biases := params(x)
			encode(dst, biases)
			formats.ReturnFloats(scales)
			formats.ReturnFloats(biases)
		}}, shape(k/group)...),
	}
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

func (s *stacked) Scratch(n int) int64 { return s.parts[0].Rows.Scratch(n) }

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
