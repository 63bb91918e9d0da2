package gguf

import (
	"context"
	"slices"

	"github.com/loratool/loratool/formats"
)

// A field is a run of numbers of more than one byte within a block.
type field struct {
	offset, width, count int
}

// fields are where the blocks of each number format have numbers that depend on
// the byte order, as ggml declares and accesses them. Formats that are missing
// consist of bytes.
var fields = map[formats.DType][]field{
	formats.F16:  {{0, 2, 1}},
	formats.BF16: {{0, 2, 1}},
	formats.I16:  {{0, 2, 1}},
	formats.F32:  {{0, 4, 1}},
	formats.I32:  {{0, 4, 1}},
	formats.F64:  {{0, 8, 1}},
	formats.I64:  {{0, 8, 1}},

	formats.Q4_0:    {{0, 2, 1}},
	formats.Q4_1:    {{0, 2, 2}},
	formats.Q5_0:    {{0, 2, 1}, {2, 4, 1}}, // qh is 32 bits
	formats.Q5_1:    {{0, 2, 2}, {4, 4, 1}},
	formats.Q8_0:    {{0, 2, 1}},
	formats.Q8_1:    {{0, 2, 2}},
	formats.Q2_K:    {{80, 2, 2}},
	formats.Q3_K:    {{108, 2, 1}},
	formats.Q4_K:    {{0, 2, 2}},
	formats.Q5_K:    {{0, 2, 2}},
	formats.Q6_K:    {{208, 2, 1}},
	formats.Q8_K:    {{0, 4, 1}, {260, 2, 16}},
	formats.IQ2_XXS: {{0, 2, 1}, {2, 4, 16}}, // qs is used by 32 bits
	formats.IQ2_XS:  {{0, 2, 33}},
	formats.IQ3_XXS: {{0, 2, 1}, {66, 4, 8}}, // scales and signs
	formats.IQ1_S:   {{0, 2, 1}, {34, 2, 8}},
	formats.IQ4_NL:  {{0, 2, 1}},
	formats.IQ3_S:   {{0, 2, 1}},
	formats.IQ2_S:   {{0, 2, 1}},
	formats.IQ4_XS:  {{0, 2, 2}},
	formats.IQ1_M:   {{48, 2, 4}},
	formats.TQ1_0:   {{52, 2, 1}},
	formats.TQ2_0:   {{64, 2, 1}},
	formats.Q1_0:    {{0, 2, 1}},
	formats.Q2_0:    {{0, 2, 1}},
}

// swapped is the data of a tensor in a big-endian file.
type swapped struct {
	*formats.Extent
	blockBytes int
	fields     []field
}

// swappedTensor returns the tensor with its data at the given offset of f, the
// numbers of its blocks turned round.
func swappedTensor(info formats.Info, f *formats.File, offset int64) *formats.Tensor {
	t := formats.NewExtent(info, f, offset)
	if fs := fields[info.DType]; fs != nil {
		t.Rows = &swapped{t.Extent(), info.DType.BlockBytes(), fs}
	}
	return t
}

// ReadRows reads the rows and turns every number round in its place.
func (s *swapped) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if err := s.Extent.ReadRows(ctx, dst, lo, hi); err != nil {
		return err
	}
	for ; len(dst) > 0; dst = dst[s.blockBytes:] {
		for _, f := range s.fields {
			for i := range f.count {
				slices.Reverse(dst[f.offset+i*f.width:][:f.width])
			}
		}
	}
	return nil
}
