package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// MiSS adds one small block to all parts of a weight:
//
//	W'[o,j] = W[o,j] + B[j mod r, o]
//
// in the form "mini", B has fewer columns, which repeat: o mod mini_r. The form
// "bat" has a block of r×r for each r rows, and multiplies:
//
//	W'[o,:] = W[o,:] + W[o, block]·B[o/r] + B[o/r][o mod r, :]   for every block of r columns
//
// Kang and Yin, https://arxiv.org/abs/2409.15371.

func (c *Config) parseMiSS() (err error) {
	if c.Rank, err = c.positive("r", 64); err != nil {
		return err
	}
	switch form := c.missForm(); form {
	case "", "bat", "mini":
	default:
		return unsupported("init_weights %q is unknown", form)
	}
	return checkKeys(c.object, "r", "miss_dropout", "mini_r", "init_weights")
}

// missForm returns the form of a MiSS: "", "bat" or "mini".
func (c *Config) missForm() string {
	return c.object.String("init_weights")
}

func (b *builder) buildMiSS(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if err := b.plainLinear(m, t); err != nil {
		return err
	}
	out, in := t.Shape[0], t.Shape[1]
	if b.adapter.Config.missForm() == "bat" {
		return b.buildMiSSBat(m, t, out, in)
	}
	v, err := b.need(m, "miss_block", -1, -1)
	if err != nil {
		return err
	}
	r, width := v.Shape[0], v.Shape[1]
	if r == 0 || width == 0 || out%width != 0 || width != out && b.adapter.Config.missForm() != "mini" {
		return b.misfit(v.Tensor, t)
	}
	b.apply(t, &sum{
		rows: func(ctx context.Context, lo, hi int, d []float32) error {
			block := formats.BorrowFloats(r * width)
			defer formats.ReturnFloats(block)
			if err := v.read(ctx, block, 0); err != nil {
				return err
			}
			for i := range hi - lo {
				row, col := d[i*in:(i+1)*in], (lo+i)%width
				for j := range row {
					row[j] = block[j%r*width+col]
				}
			}
			return nil
		},
		scale: b.strength(), info: OpInfo{Kind: "miss", Rank: r},
		atLeast: 4*int64(r*width) + v.scratch(r*width),
	})
	return nil
}

func (b *builder) buildMiSSBat(m *module, t *Target, out, in int) error {
	v, err := b.need(m, "miss_block", -1, -1, -1)
	if err != nil {
		return err
	}
	r := v.Shape[2]
	if r == 0 || v.Shape[1] != r || v.Shape[0]*r != out || in%r != 0 {
		return b.misfit(v.Tensor, t)
	}
	b.apply(t, &rewrite{
		rows: func(ctx context.Context, lo, hi int, w []float32) error {
			block := formats.BorrowFloats(r * r)
			defer formats.ReturnFloats(block)
			change := formats.BorrowFloats(in)
			defer formats.ReturnFloats(change)
			for i := range hi - lo {
				o := lo + i
				if i == 0 || o%r == 0 {
					if err := v.read(ctx, block, o/r*r*r); err != nil {
						return err
					}
				}
				row := w[i*in : (i+1)*in]
				clear(change)
				kernels.Gemm(change, r, row, r, block, r, in/r, r, r)
				for j := range row {
					row[j] += change[j] + block[o%r*r+j%r]
				}
			}
			return nil
		},
		strength: b.strength(), cols: in, info: OpInfo{Kind: "miss-bat", Rank: r},
		atLeast: 4*int64(r*r+in) + v.scratch(r*r),
	})
	return nil
}
