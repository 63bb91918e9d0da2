package adapter

import (
	"context"
	"math"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// OFT rotates the inputs of a layer, block by block; BOFT scales its outputs too:
//
//	W' = W · Rᵀ,   W' = s ∘ (W · Rᵀ),   R = blockdiag(R₁, R₂, …)
//
// Each block is a Cayley transform of a skew-symmetric matrix Q: exactly
// (I − Q)(I + Q)⁻¹, or for OFT by default a few terms of the Neumann series of the
// inverse, I + 2Q + 2Q² + … + Qᵗ⁻¹, with the last term once. Blocks are computed
// in float64 and rounded, products are float32.
//
// Qiu et al., https://arxiv.org/abs/2306.07280; Liu et al.,
// https://arxiv.org/abs/2311.06243.

func (c *Config) parseOFT() error {
	return checkKeys(c.object, "r", "oft_block_size", "module_dropout", "coft", "eps", "block_share", "use_cayley_neumann",
		"num_cayley_neumann_terms", "init_weights")
}

func (c *Config) parseBOFT() error {
	return checkKeys(c.object, "boft_block_size", "boft_block_num", "boft_n_butterfly_factor", "boft_dropout", "init_weights")
}

func (b *builder) buildOFT(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	v, err := b.need(m, "oft_R", -1, -1)
	if err != nil {
		return err
	}
	if b.isConv1D(t) {
		return b.plainLinear(m, t)
	}
	t.flatten()
	size := int(math.Round((1 + math.Sqrt(1+8*float64(v.Shape[1]))) / 2))
	blocks := v.Shape[0]
	if size*(size-1)/2 != v.Shape[1] || blocks == 0 || t.MatrixCols%size != 0 || blocks != 1 && blocks*size != t.MatrixCols {
		return b.misfit(v.Tensor, t)
	}
	o := b.adapter.Config.object
	neumann, terms := !o.Has("use_cayley_neumann") || o.Bool("use_cayley_neumann"), 5
	if n, ok := o.Int("num_cayley_neumann_terms"); ok {
		terms = int(min(max(n, 1), 64))
	}
	limit := 0.0
	if o.Bool("coft") {
		eps, ok := o.Float("eps")
		if !ok {
			eps = 6e-5
		}
		limit = eps / math.Sqrt(float64(blocks))
	}
	b.applyRotation(t, "oft", v, blocks, size, nil, func(x []float32) (square, bool) {
		q := fromTriangle(size, x)
		if norm := q.norm(); limit > 0 && norm > limit {
			q = newSquare(size).plus(limit/norm, q)
		}
		if neumann {
			return neumannCayley(q, terms), true
		}
		return cayley(q)
	})
	return nil
}

func (b *builder) buildBOFT(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	v, err := b.need(m, "boft_R", -1, -1, -1, -1)
	if err != nil {
		return err
	}
	s, err := b.need(m, "boft_s", -1, -1)
	if err != nil {
		return err
	}
	if b.isConv1D(t) {
		return b.plainLinear(m, t)
	}
	if v.Shape[0] != 1 {
		return unsupported("module %s: a BOFT of %d butterfly factors; one is implemented", m.path, v.Shape[0])
	}
	t.flatten()
	blocks, size := v.Shape[1], v.Shape[2]
	if v.Shape[3] != size || blocks*size != t.MatrixCols || s.NumElements() != t.MatrixRows() {
		return b.misfit(v.Tensor, t)
	}
	b.applyRotation(t, "boft", v, blocks, size, &s, func(x []float32) (square, bool) {
		q := newSquare(size)
		for i := range size {
			for j := range size {
				q.x[i*size+j] = 0.5 * (float64(x[i*size+j]) - float64(x[j*size+i]))
			}
		}
		return cayley(q)
	})
	return nil
}

// fromTriangle returns the skew-symmetric matrix with the given numbers above its
// diagonal.
func fromTriangle(n int, x []float32) square {
	q := newSquare(n)
	k := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			q.x[i*n+j] = float64(x[k])
			q.x[j*n+i] = -float64(x[k])
			k++
		}
	}
	return q
}

// applyRotation applies the rotation by blocks that turn makes of the tensor's
// elements, and then the scales of the outputs, if there are any. The blocks are
// computed once and kept.
func (b *builder) applyRotation(t *Target, kind string, v values, blocks, size int, scales *values, turn func(x []float32) (square, bool)) {
	cols := t.MatrixCols
	per := v.NumElements() / blocks
	var (
		mu    sync.Mutex
		turns []float32 // of shape [blocks, size, size]
	)
	compute := func(ctx context.Context) ([]float32, error) {
		mu.Lock()
		defer mu.Unlock()
		if turns != nil {
			return turns, nil
		}
		x := make([]float32, v.NumElements())
		if err := v.read(ctx, x, 0); err != nil {
			return nil, err
		}
		out := make([]float32, blocks*size*size)
		for i := range blocks {
			r, ok := turn(x[i*per : (i+1)*per])
			if !ok {
				return nil, b.mismatch(v.Tensor, "block %d is no rotation", i)
			}
			for j, y := range r.x {
				out[i*size*size+j] = float32(y)
			}
		}
		turns = out
		return out, nil
	}
	b.apply(t, &rewrite{
		rows: func(ctx context.Context, lo, hi int, w []float32) error {
			r, err := compute(ctx)
			if err != nil {
				return err
			}
			m := hi - lo
			out := formats.BorrowFloats(len(w))
			defer formats.ReturnFloats(out)
			clear(out)
			for i := range cols / size {
				block := r[(i%blocks)*size*size:][:size*size]
				kernels.GemmNT(out[i*size:], cols, w[i*size:], cols, block, size, m, size, size)
			}
			copy(w, out)
			if scales == nil {
				return nil
			}
			s := formats.BorrowFloats(m)
			defer formats.ReturnFloats(s)
			if err := scales.read(ctx, s, lo); err != nil {
				return err
			}
			for i, x := range s {
				kernels.Scale(w[i*cols:(i+1)*cols], x)
			}
			return nil
		},
		strength: b.strength(), cols: cols, info: OpInfo{Kind: kind},
		perRow: 4*int64(cols) + 8, atLeast: 1 << 10,
	})
}
