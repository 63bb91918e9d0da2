package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// VeRA shares two random matrices between all modules, and learns a vector for
// each side of them:
//
//	W' = W + (λb ∘ B[:out, :]) · (λd ∘ A[:, :in])
//
// Kopiczko et al., https://arxiv.org/abs/2310.11454.

func (c *Config) parseVeRA() (err error) {
	if c.Rank, err = c.positive("r", 256); err != nil {
		return err
	}
	return checkKeys(c.object, "r", "projection_prng_key", "save_projection", "vera_dropout", "d_initial", "init_weights")
}

func buildVeRA(b *builder) error {
	shared := b.byModule[moduleKey{}]
	if shared == nil {
		return unsupported("the adapter lacks its random matrices (save_projection was false), which PyTorch's generator would make again")
	}
	rank := b.adapter.Config.Rank
	down, err := b.need(shared, "vera_A", rank, -1)
	if err != nil {
		return err
	}
	up, err := b.need(shared, "vera_B", -1, rank)
	if err != nil {
		return err
	}
	for _, m := range b.modules {
		if m != shared {
			if err := b.buildVeRAModule(m, down, up); err != nil {
				return err
			}
		}
		b.finish(m)
	}
	return nil
}

func (b *builder) buildVeRAModule(m *module, down, up values) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	rank := down.Shape[0]
	d, err := b.need(m, "vera_lambda_d", rank)
	if err != nil {
		return err
	}
	out, err := b.need(m, "vera_lambda_b", -1)
	if err != nil {
		return err
	}
	n := out.Shape[0]
	if !t.isMatrix() {
		return b.misfit(out.Tensor, t)
	}
	transposed := b.isConv1D(t)
	rows, cols := t.Shape[0], t.Shape[1]
	in := cols
	if transposed {
		in = rows
	}
	if n != rows && !transposed || n != cols && transposed {
		return b.misfit(out.Tensor, t)
	}
	if in > down.Shape[1] || n > up.Shape[0] {
		return b.misfit(down.Tensor, t)
	}
	p := product{hi: rows, left: rowsOf(up, rank), right: columnsOf(down, rank), diag: &d}
	if transposed {
		p.left, p.right = p.right, p.left
	}
	l := &lowRank{products: []product{p}, cols: cols}
	b.apply(t, &sum{
		rows: func(ctx context.Context, lo, hi int, x []float32) error {
			if err := l.multiply(ctx, lo, hi, x); err != nil {
				return err
			}
			s := formats.BorrowFloats(n)
			defer formats.ReturnFloats(s)
			if err := out.read(ctx, s, 0); err != nil {
				return err
			}
			for i := range hi - lo {
				row := x[i*cols : (i+1)*cols]
				if !transposed {
					kernels.Scale(row, s[lo+i])
					continue
				}
				for j := range row {
					row[j] *= s[j]
				}
			}
			return nil
		},
		scale: b.strength(), info: OpInfo{Kind: "vera", Rank: rank, Scale: 1},
		atLeast: l.Scratch(rows) + 4*int64(n) + out.scratch(n),
	})
	return nil
}
