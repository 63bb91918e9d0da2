package adapter

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// HRA reflects the inputs of a layer, at r hyperplanes one after another:
//
//	W' = W · Πᵢ (I − 2·uᵢuᵢᵀ)   with uᵢ normalised
//
// or, with apply_GS, by W·(I − 2·UUᵀ) with the uᵢ made orthogonal. Normalising is
// done in float64, inner products are rounded to float32.
//
// Yuan et al., https://arxiv.org/abs/2405.17484.

func (c *Config) parseHRA() (err error) {
	if c.Rank, err = c.positive("r", 8); err != nil {
		return err
	}
	return checkKeys(c.object, "r", "apply_GS", "init_weights")
}

func (b *builder) buildHRA(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if b.isConv1D(t) {
		return b.plainLinear(m, t)
	}
	t.flatten()
	rank, cols := b.adapter.Config.Rank, t.MatrixCols
	v, err := b.need(m, "hra_u", cols, rank)
	if err != nil {
		return err
	}
	orthogonal := b.adapter.Config.object.Bool("apply_GS")
	b.apply(t, &rewrite{
		rows: func(ctx context.Context, lo, hi int, w []float32) error {
			u := formats.BorrowFloats(rank * cols)
			defer formats.ReturnFloats(u)
			if err := directions(ctx, v, u, rank, cols, orthogonal); err != nil {
				return err
			}
			for i := range hi - lo {
				row := w[i*cols : (i+1)*cols]
				for k := range rank { // orthogonal ones may as well go one by one
					uk := u[k*cols : (k+1)*cols]
					kernels.AddScaled(row, float32(-2*kernels.Dot(row, uk)), uk)
				}
			}
			return nil
		},
		strength: b.strength(), cols: cols, info: OpInfo{Kind: "hra", Rank: rank},
		atLeast: 8*int64(rank*cols) + v.scratch(rank*cols),
	})
	return nil
}

// directions fills u, of shape [rank, cols], with the columns of v normalised, and
// orthogonal to those before if that is asked for.
func directions(ctx context.Context, v values, u []float32, rank, cols int, orthogonal bool) error {
	raw := formats.BorrowFloats(rank * cols)
	defer formats.ReturnFloats(raw)
	if err := v.read(ctx, raw, 0); err != nil {
		return err
	}
	for k := range rank {
		uk := u[k*cols : (k+1)*cols]
		for j := range uk {
			uk[j] = raw[j*rank+k]
		}
		for i := 0; orthogonal && i < k; i++ {
			ui := u[i*cols : (i+1)*cols]
			kernels.AddScaled(uk, float32(-kernels.Dot(ui, uk)), ui)
		}
		norm := math.Sqrt(kernels.SumSquares(uk))
		if norm == 0 {
			return &formats.Error{Path: v.path(), Tensor: v.Name, Err: formats.Reasonf(formats.ErrMismatch, "column %d is zero and has no direction", k)}
		}
		kernels.Scale(uk, float32(1/norm))
	}
	return nil
}
