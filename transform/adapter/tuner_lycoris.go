package adapter

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// LoHa and LoKr, as PEFT has them: both scaled by alpha/r always, where r is that
// of the configuration.
//
//	LoHa  ΔW = alpha/r · (w1a·w1b) ∘ (w2a·w2b)
//	LoKr  ΔW = alpha/r · w1 ⊗ w2,   w1 = w1a·w1b and w2 = w2a·w2b unless they are whole
//
// For convolutions the second factors hold the kernel's taps, or it is in Tucker
// form, with a core between them.
//
// Hyeon-Woo et al., https://arxiv.org/abs/2108.06098; Yeh et al.,
// https://arxiv.org/abs/2309.14859.

func (c *Config) parseLyCORIS() (err error) {
	if c.Rank, err = c.positive("r", 8); err != nil {
		return err
	}
	if c.Alpha, err = c.number("alpha", 8); err != nil {
		return err
	}
	if err := c.parseScalePatterns(); err != nil {
		return err
	}
	return checkKeys(c.object, "r", "alpha", "rank_pattern", "alpha_pattern", "rank_dropout", "module_dropout", "rank_dropout_scale",
		"use_effective_conv2d", "decompose_both", "decompose_factor", "init_weights")
}

func (b *builder) buildLoHa(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if b.isConv1D(t) {
		return b.plainLinear(m, t)
	}
	t.flatten()
	one, err := b.factorPair(m, t, "hada_w1_a", "hada_w1_b", "hada_t1")
	if err != nil {
		return err
	}
	two, err := b.factorPair(m, t, "hada_w2_a", "hada_w2_b", "hada_t2")
	if err != nil {
		return err
	}
	c := b.adapter.Config
	cols := t.MatrixCols
	b.apply(t, &sum{
		rows: func(ctx context.Context, lo, hi int, d []float32) error {
			if err := one.read(ctx, lo, hi, d); err != nil {
				return err
			}
			other := formats.BorrowFloats(len(d))
			defer formats.ReturnFloats(other)
			if err := two.read(ctx, lo, hi, other); err != nil {
				return err
			}
			for i := range d {
				d[i] *= other[i]
			}
			return nil
		},
		scale: float32(b.adapter.Strength * c.scale(m.path)), info: OpInfo{Kind: "loha", Rank: c.rank(m.path), Scale: c.scale(m.path)},
		perRow: 4 * int64(cols), atLeast: one.scratch(t.MatrixRows()) + two.scratch(t.MatrixRows()),
	})
	return nil
}

// factorPair returns the product of two factors of a LoHa, with a core between
// them if there is one.
func (b *builder) factorPair(m *module, t *Target, partA, partB, core string) (small, error) {
	rank, rows, cols := b.adapter.Config.rank(m.path), t.MatrixRows(), t.MatrixCols
	if m.tensors[core] == nil {
		left, err := b.need(m, partA, rows, rank)
		if err != nil {
			return small{}, err
		}
		right, err := b.need(m, partB, rank, cols)
		if err != nil {
			return small{}, err
		}
		return smallProduct(rowsOf(left, rank), columnsOf(right, rank), rows, cols), nil
	}
	left, right, err := b.tuckerPair(m, partA, partB, core, rank, rows, cols)
	return smallProduct(left, right, rows, cols), err
}

// tuckerPair returns the factors of a kernel in Tucker form: out from the first,
// in and taps from core and second.
func (b *builder) tuckerPair(m *module, partA, partB, core string, rank, rows, cols int) (left, right factor, err error) {
	t := b.take(m, core)
	v, err := b.values(t)
	if err != nil {
		return
	}
	if len(t.Shape) < 3 || t.Shape[0] != rank || t.Shape[1] != rank || t.NumElements() == 0 {
		return left, right, b.mismatch(t, "shape %v, but the rank is %d", t.Shape, rank)
	}
	first, err := b.need(m, partA, rank, rows)
	if err != nil {
		return
	}
	second, err := b.need(m, partB, rank, -1)
	if err != nil {
		return
	}
	if second.NumElements()*(t.NumElements()/(rank*rank)) != rank*cols {
		return left, right, b.mismatch(second.Tensor, "shape %v does not fit a kernel of %d numbers an output", second.Shape, cols)
	}
	return columnsOf(first, rank), tuckerFactor(v, second, rank), nil
}

func (b *builder) buildLoKr(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if b.isConv1D(t) {
		return b.plainLinear(m, t)
	}
	t.flatten()
	one, err := b.kronFactor(m, "lokr_w1", t, 0, 0)
	if err != nil {
		return err
	}
	if one.rows == 0 || one.cols == 0 || t.MatrixRows()%one.rows != 0 || t.MatrixCols%one.cols != 0 {
		return b.mismatch(&formats.Tensor{Info: formats.Info{Name: m.path}}, "its first factor has %d×%d numbers, which do not divide the base's %v", one.rows, one.cols, t.Shape)
	}
	two, err := b.kronFactor(m, "lokr_w2", t, t.MatrixRows()/one.rows, t.MatrixCols/one.cols)
	if err != nil {
		return err
	}
	c := b.adapter.Config
	b.apply(t, &sum{
		rows:  func(ctx context.Context, lo, hi int, d []float32) error { return kron(ctx, one, two, lo, hi, d) },
		scale: float32(b.adapter.Strength * c.scale(m.path)), info: OpInfo{Kind: "lokr", Rank: c.rank(m.path), Scale: c.scale(m.path)},
		perRow: 4 * int64(two.cols), atLeast: 4*int64(one.cols) + one.scratch(1) + two.scratch(two.rows),
	})
	return nil
}

// kronFactor returns one of the two matrices of a LoKr: whole, a product, or in
// Tucker form. The second one must have the given shape.
func (b *builder) kronFactor(m *module, part string, t *Target, rows, cols int) (small, error) {
	rank := b.adapter.Config.rank(m.path)
	if m.tensors[part] != nil {
		v, err := b.values(b.take(m, part))
		if err != nil {
			return small{}, err
		}
		if len(v.Shape) < 2 || rows > 0 && (v.Shape[0] != rows || v.NumElements() != rows*cols) {
			return small{}, b.misfit(v.Tensor, t)
		}
		return smallTensor(v, v.Shape[0]), nil
	}
	if core := "lokr_t2"; part == "lokr_w2" && m.tensors[core] != nil {
		left, right, err := b.tuckerPair(m, part+"_a", part+"_b", core, rank, rows, cols)
		return smallProduct(left, right, rows, cols), err
	}
	if rows == 0 {
		rows, cols = -1, -1
	}
	left, err := b.need(m, part+"_a", rows, rank)
	if err != nil {
		return small{}, err
	}
	right, err := b.need(m, part+"_b", rank, cols)
	if err != nil {
		return small{}, err
	}
	return smallProduct(rowsOf(left, rank), columnsOf(right, rank), left.Shape[0], right.Shape[1]), nil
}

// kron fills d with the rows [lo, hi) of the Kronecker product w1 ⊗ w2.
func kron(ctx context.Context, w1, w2 small, lo, hi int, d []float32) error {
	first := formats.BorrowFloats(w1.cols)
	defer formats.ReturnFloats(first)
	for lo < hi {
		p, q := lo/w2.rows, lo%w2.rows
		n := min(hi-lo, w2.rows-q)
		if err := w1.read(ctx, p, p+1, first); err != nil {
			return err
		}
		second := formats.BorrowFloats(n * w2.cols)
		if err := w2.read(ctx, q, q+n, second); err != nil {
			formats.ReturnFloats(second)
			return err
		}
		for i := range n {
			row := second[i*w2.cols : (i+1)*w2.cols]
			for s, a := range first {
				out := d[(i*w1.cols+s)*w2.cols:][:w2.cols]
				for j, v := range row {
					out[j] = a * v
				}
			}
		}
		formats.ReturnFloats(second)
		d = d[n*w1.cols*w2.cols:]
		lo += n
	}
	return nil
}
