package shrink

import (
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// encodeMLX returns the tensors of a matrix, or of a stack of them, in MLX's affine mode:
// the bytes of mlx_lm.convert. Codes are made with scales and biases in float32, which
// are rounded only then.
func encodeMLX(module string, w weights, bits, group int, half formats.DType) []*formats.Tensor {
	outer := w.Shape[:len(w.Shape)-1]
	k := w.NumCols()
	shape := func(last int) []int { return append(slices.Clone(outer), last) }
	toHalf := formats.Encoder(half)
	encode := func(dst [][]byte, x []float32) {
		n := len(x) / group
		scales, biases := formats.BorrowFloats(n), formats.BorrowFloats(n)
		defer formats.ReturnFloats(scales)
		defer formats.ReturnFloats(biases)
		kernels.AffineGroups(scales, biases, x, group, bits)
		toHalf(dst[1], scales)
		toHalf(dst[2], biases)
		if bits == 8 {
			kernels.EncodeAffine(dst[0], x, scales, biases, group, bits)
			return
		}
		levels := formats.BorrowBytes(len(x))
		defer formats.ReturnBytes(levels)
		kernels.EncodeAffine(levels, x, scales, biases, group, bits)
		kernels.PackNibbles(dst[0], levels)
	}
	size := half.BlockBytes()
	return w.encoded(k, 2, encode,
		part(module+".weight", formats.U32, k*bits/8, shape(k*bits/32)...),
		part(module+".scales", half, k/group*size, shape(k/group)...),
		part(module+".biases", half, k/group*size, shape(k/group)...))
}
