package adapter

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// IA3 scales what comes out of a layer, weight and bias, or what goes into a
// feed-forward layer:
//
//	W'[i,j] = l[i] · W[i,j] and b'[i] = l[i] · b[i],   or   W'[i,j] = l[j] · W[i,j]
//
// Liu et al., https://arxiv.org/abs/2205.05638.

func (c *Config) parseIA3() error {
	return checkKeys(c.object, "feedforward_modules", "init_ia3_weights")
}

// isFeedforward reports whether the configuration has a module scaled by its
// inputs.
func (c *Config) isFeedforward(path string) bool {
	switch v := c.object.Get("feedforward_modules").(type) {
	case string:
		re, err := regexp.Compile(`^(?:` + v + `)$`)
		return err == nil && re.MatchString(path)
	case strictjson.Array:
		return slices.ContainsFunc(v, func(x strictjson.Value) bool {
			name, ok := x.(string)
			return ok && strings.HasSuffix(path, name)
		})
	}
	return false
}

func (b *builder) buildIA3(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	if m.tensors["ia3_l"] == nil {
		return nil // finish says so
	}
	v, err := b.values(b.take(m, "ia3_l"))
	if err != nil {
		return err
	}
	inputs := b.adapter.Config.isFeedforward(m.path)
	outAxis, inAxis := t.Shape[0], t.Shape[1]
	byRow := !inputs
	if b.isConv1D(t) {
		outAxis, inAxis, byRow = inAxis, outAxis, inputs
	}
	if n := v.NumElements(); inputs && n != inAxis || !inputs && n != outAxis {
		return b.misfit(v.Tensor, t)
	}
	t.flatten()
	b.apply(t, b.rescale(t, v, byRow))
	if bias := b.param(m.path, "bias"); bias != nil && !inputs {
		if bias.NumElements() != v.NumElements() {
			return b.misfit(v.Tensor, bias)
		}
		b.apply(bias, b.rescale(bias, v, false))
	}
	return nil
}

// rescale returns the op that multiplies rows, or columns, by the numbers of v.
// Several columns of a convolution have one number: those of an input channel.
func (b *builder) rescale(t *Target, v values, byRow bool) *rewrite {
	cols := t.MatrixCols
	each := max(1, cols/max(1, v.NumElements()))
	return &rewrite{
		rows: func(ctx context.Context, lo, hi int, w []float32) error {
			n := v.NumElements()
			if byRow {
				n = hi - lo
			}
			l := formats.BorrowFloats(n)
			defer formats.ReturnFloats(l)
			if !byRow {
				if err := v.read(ctx, l, 0); err != nil {
					return err
				}
				for i := range w {
					w[i] *= l[i%cols/each]
				}
				return nil
			}
			if err := v.read(ctx, l, lo); err != nil {
				return err
			}
			for i, s := range l {
				kernels.Scale(w[i*cols:(i+1)*cols], s)
			}
			return nil
		},
		strength: b.strength(), cols: cols, info: OpInfo{Kind: "ia3"},
		perRow: 8, atLeast: 4*int64(v.NumElements()) + v.scratch(v.NumElements()),
	}
}
