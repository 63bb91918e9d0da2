package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// SHiRA adds numbers at places that are in the file:
//
//	W'[indices[0,i], indices[1,i]] += weight[i]
//
// Bhardwaj et al., https://arxiv.org/abs/2406.13175.

func (c *Config) parseSHiRA() (err error) {
	if c.Rank, err = c.positive("r", 32); err != nil {
		return err
	}
	return checkKeys(c.object, "r", "mask_type", "random_seed", "init_weights")
}

func (b *builder) buildSHiRA(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if err := b.plainLinear(m, t); err != nil {
		return err
	}
	v, err := b.need(m, "shira_weight", -1)
	if err != nil {
		return err
	}
	at := b.take(m, "shira_indices")
	n := v.Shape[0]
	if at == nil || len(at.Shape) != 2 || at.Shape[0] != 2 || at.Shape[1] != n || at.DType != formats.I32 && at.DType != formats.I64 {
		return b.mismatch(v.Tensor, "there are no shira_indices of shape [2 %d] for it", n)
	}
	rows, cols := t.Shape[0], t.Shape[1]
	if rows > 1<<24 || cols > 1<<24 {
		return b.misfit(v.Tensor, t) // indices pass through float32 below
	}
	b.apply(t, &sum{
		rows: func(ctx context.Context, lo, hi int, d []float32) error {
			x := formats.BorrowFloats(3 * n)
			defer formats.ReturnFloats(x)
			if err := v.read(ctx, x[:n], 0); err != nil {
				return err
			}
			if err := at.ReadFloats(ctx, x[n:], 0, 2); err != nil {
				return at.Error(err)
			}
			clear(d)
			for i, value := range x[:n] {
				r, c := int(x[n+i]), int(x[2*n+i])
				if r < 0 || r >= rows || c < 0 || c >= cols {
					return b.mismatch(at, "index %d is (%d, %d), outside a weight of shape %v", i, r, c, t.Shape)
				}
				if lo <= r && r < hi {
					d[(r-lo)*cols+c] += value
				}
			}
			return nil
		},
		scale: b.strength(), info: OpInfo{Kind: "shira"},
		atLeast: 12*int64(n) + v.scratch(n) + at.FloatScratch(2),
	})
	return nil
}

// C3A adds circulant blocks of b×b numbers, each of which is a vector of b:
//
//	W'[p·b+r, q·b+c] = W[p·b+r, q·b+c] + kernel[p, q, (c−r) mod b] / in
//
// Chen et al., https://arxiv.org/abs/2407.19342.

func (c *Config) parseC3A() error {
	return checkKeys(c.object, "block_size", "block_size_pattern", "init_weights")
}

func (b *builder) buildC3A(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if err := b.plainLinear(m, t); err != nil {
		return err
	}
	v, err := b.need(m, "c3a_kernel", -1, -1, -1)
	if err != nil {
		return err
	}
	across, size := v.Shape[1], v.Shape[2]
	if size == 0 || v.Shape[0]*size != t.Shape[0] || across*size != t.Shape[1] {
		return b.misfit(v.Tensor, t)
	}
	cols := t.Shape[1]
	b.apply(t, &sum{
		rows: func(ctx context.Context, lo, hi int, d []float32) error {
			kernel := formats.BorrowFloats(cols)
			defer formats.ReturnFloats(kernel)
			for i := range hi - lo {
				row := lo + i
				if i == 0 || row%size == 0 {
					if err := v.read(ctx, kernel, row/size*cols); err != nil {
						return err
					}
				}
				for q := range across {
					out := d[i*cols+q*size:][:size]
					k := kernel[q*size:][:size]
					for c := range out {
						out[c] = k[(c-row%size+size)%size] / float32(cols)
					}
				}
			}
			return nil
		},
		scale: b.strength(), info: OpInfo{Kind: "c3a"},
		atLeast: 4*int64(cols) + v.scratch(cols),
	})
	return nil
}
