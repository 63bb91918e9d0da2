package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// background is for state of a few bytes that is read when a model is opened.
var background = context.Background()

// bnb4 are the rows of a matrix of 4-bit codes in blocks that know nothing of rows.
type bnb4 struct {
	computing
	cols, elements, block int
	codes, absmax         *formats.Tensor
	table                 [16]float32
	nested                *bnbNested // nil if absmax is not quantized
}

// bnbNested is how the scales of blocks are quantized.
type bnbNested struct {
	block  int
	offset float32
	table  []float32
	absmax *formats.Tensor
}

func (b *bnb4) Scratch(n int) int64 {
	elements := int64(n)*int64(b.cols) + 2*int64(b.block)
	return 4*elements + elements/2 + 16*(elements/int64(b.block)+2) + 64
}

func (b *bnb4) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	from, to := lo*b.cols, hi*b.cols
	start := from / b.block * b.block // of the block
	if start%2 == 1 {
		start-- // blocks of odd length
	}
	x := formats.BorrowFloats(to - start)
	defer formats.ReturnFloats(x)
	raw := formats.BorrowBytes((to - start + 1) / 2)
	defer formats.ReturnBytes(raw)
	if err := readBytes(ctx, b.codes, raw, int64(start/2)); err != nil {
		return err
	}
	first, last := start/b.block, (to+b.block-1)/b.block
	s := formats.BorrowFloats(last - first)
	defer formats.ReturnFloats(s)
	if err := b.scales(ctx, s, first); err != nil {
		return err
	}
	for i, v := range raw {
		x[2*i] = b.table[v>>4]
		if 2*i+1 < len(x) {
			x[2*i+1] = b.table[v&15]
		}
	}
	for i, scale := range s {
		kernels.Scale(x[max(0, (first+i)*b.block-start):min((first+i+1)*b.block-start, len(x))], scale)
	}
	kernels.EncodeF32(dst, x[from-start:])
	return nil
}

// scales fills s with the scales of the blocks from the given one on.
func (b *bnb4) scales(ctx context.Context, s []float32, first int) error {
	if b.nested == nil {
		raw := formats.BorrowBytes(4 * len(s))
		defer formats.ReturnBytes(raw)
		if err := readBytes(ctx, b.absmax, raw, 4*int64(first)); err != nil {
			return err
		}
		kernels.DecodeF32(s, raw)
	} else {
		raw := formats.BorrowBytes(len(s))
		defer formats.ReturnBytes(raw)
		if err := readBytes(ctx, b.absmax, raw, int64(first)); err != nil {
			return err
		}
		n := b.nested
		from, to := first/n.block, (first+len(s)+n.block-1)/n.block
		outerRaw := formats.BorrowBytes(4 * (to - from))
		defer formats.ReturnBytes(outerRaw)
		if err := readBytes(ctx, n.absmax, outerRaw, 4*int64(from)); err != nil {
			return err
		}
		outer := formats.BorrowFloats(to - from)
		defer formats.ReturnFloats(outer)
		kernels.DecodeF32(outer, outerRaw)
		for i, code := range raw {
			s[i] = float32(n.table[code]*outer[(first+i)/n.block-from]) + n.offset
		}
	}
	if i := kernels.FirstNonFinite(s); i >= 0 {
		return b.absmax.Error(formats.Reasonf(formats.ErrFormat, "the scale of block %d is %v", first+i, s[i]))
	}
	return nil
}
