package adapter

import (
	"context"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// BD-LoRA (use_bdlora) has one of its two factors block-diagonal and stores the
// blocks alone, one below the other: A of shape [r, in/n], or B of shape
// [out, r/n]. With the zeros put back it is a plain LoRA.

// blockDiagonal says which modules have which factor so, in how many blocks.
type blockDiagonal struct {
	a, b   []string // parts of modules' names
	blocks int
}

func parseBlockDiagonal(v strictjson.Value) (*blockDiagonal, error) {
	if !isSet(v) {
		return nil, nil
	}
	o, ok := v.(*strictjson.Object)
	if !ok {
		return nil, formats.Reasonf(formats.ErrFormat, "use_bdlora is %s", preview(v))
	}
	d := &blockDiagonal{blocks: 1}
	var err error
	if d.a, err = stringList(o.Get("target_modules_bd_a")); err != nil {
		return nil, formats.Reasonf(formats.ErrFormat, "target_modules_bd_a: %v", err)
	}
	if d.b, err = stringList(o.Get("target_modules_bd_b")); err != nil {
		return nil, formats.Reasonf(formats.ErrFormat, "target_modules_bd_b: %v", err)
	}
	if o.Has("nblocks") {
		n, ok := o.Int("nblocks")
		if !ok || n < 1 || n > 1<<20 {
			return nil, formats.Reasonf(formats.ErrFormat, "nblocks is %s", preview(o.Get("nblocks")))
		}
		d.blocks = int(n)
	}
	return d, nil
}

// expand returns a module's factors with their zeros.
func (d *blockDiagonal) expand(module string, a, b *formats.Tensor) (_, _ *formats.Tensor) {
	if d == nil {
		return a, b
	}
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(part string) bool { return strings.Contains(module, part) })
	}
	switch {
	case in(d.a):
		return withZeros(a, d.blocks), b
	case in(d.b):
		return a, withZeros(b, d.blocks)
	}
	return a, b
}

// withZeros returns a matrix of blocks that lie one below the other as the
// block-diagonal matrix that they stand for; t itself if they don't divide it.
func withZeros(t *formats.Tensor, blocks int) *formats.Tensor {
	if len(t.Shape) != 2 || t.Shape[0]%blocks != 0 || !t.DType.IsFloat() || t.Shape[1] > 1<<40/blocks {
		return t
	}
	info := formats.Info{Name: t.Name, DType: formats.F32, Shape: []int{t.Shape[0], t.Shape[1] * blocks}}
	return &formats.Tensor{Info: info, Rows: &diagonalRows{t, t.Shape[0] / blocks, blocks}}
}

// diagonalRows are the rows of a block-diagonal matrix.
type diagonalRows struct {
	compact *formats.Tensor
	height  int // of a block
	blocks  int
}

func (r *diagonalRows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	width := r.compact.NumCols()
	x := formats.BorrowFloats((hi - lo) * width)
	defer formats.ReturnFloats(x)
	if err := r.compact.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	clear(dst)
	for i := range hi - lo {
		at := 4 * (i*r.blocks + (lo+i)/r.height) * width
		kernels.EncodeF32(dst[at:at+4*width], x[i*width:(i+1)*width])
	}
	return nil
}

func (r *diagonalRows) Scratch(n int) int64 {
	return 4*int64(n*r.compact.NumCols()) + r.compact.FloatScratch(n)
}
