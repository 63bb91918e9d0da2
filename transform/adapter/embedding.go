package adapter

import (
	"slices"

	"github.com/loratool/loratool/formats"
)

// buildEmbedding plans the factors of an embedding: A of shape [r, vocabulary]
// and B of shape [dim, r] for a table of shape [vocabulary, dim].
func (b *builder) buildEmbedding(m *module) error {
	t := b.param(m.path, "weight")
	if t == nil {
		b.unplaced(m, "the base has no such module")
		m.tensors = nil
		return nil
	}
	f, err := b.takeFactors(m, "lora_embedding_A", "lora_embedding_B", m.path)
	if err != nil {
		return err
	}
	if err := b.checkRank(f, f.a.Shape[0], f.b.Shape[1]); err != nil {
		return err
	}
	if !t.isMatrix() || f.b.Shape[0] != t.Shape[1] {
		return b.misfit(f.b.Tensor, t)
	}
	rows := t.Shape[0]
	if f.a.Shape[1] != rows {
		return b.vocabularyError(f.a.Tensor, f.a.Shape[1], t)
	}
	p := product{hi: rows, left: columnsOf(f.a, f.rank), right: rowsOf(f.b, f.rank)}
	if t == b.input && b.tied && b.adapter.Config.TieWeights {
		return b.applyTied(m, f, t, p)
	}
	return b.applyFactors(m, t, f, true, b.delta(t, f, "lora", true, p))
}

// isEmbedding reports whether a target is the input embedding or the head.
func (b *builder) isEmbedding(t *Target) bool { return t != nil && (t == b.input || t == b.head) }

// isTiedPair reports whether a target is one of two tied tensors.
func (b *builder) isTiedPair(t *Target) bool { return b.tied && b.isEmbedding(t) }

// tiedHead returns the head as a tensor of its own, or the embedding if the two
// are meant as one, if a module of the adapter is the head and the base has it
// only as its embedding.
func (b *builder) tiedHead(path string, asOne bool) *Target {
	if !b.tied || !b.isHead(path) {
		return nil
	}
	b.covered[path] = true
	if asOne {
		return b.input
	}
	return b.headTarget()
}

// applyTied applies factors that serve the embedding and the head as one, once:
// such an adapter has them under both names.
func (b *builder) applyTied(m *module, f *factors, t *Target, p product) error {
	if f.magnitude != nil {
		return &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"module %s: DoRA with ensure_weight_tying", m.path)}
	}
	if slices.ContainsFunc(b.both, func(a Applied) bool { return a.Adapter == b.number }) {
		return nil
	}
	b.both = append(b.both, Applied{b.delta(b.input, f, "lora", true, p), b.number, b.adapter.Strength})
	return nil
}

// vocabularyError reports a vocabulary of another size than the base's.
func (b *builder) vocabularyError(t *formats.Tensor, rows int, base *Target) error {
	return &formats.Error{Path: values{Tensor: t}.path(), Tensor: t.Name, Err: formats.Reasonf(formats.ErrMismatch,
		"the adapter's vocabulary has %d rows, the base's %s has %d", rows, base.Name, base.Shape[0]),
		Hint: "if tokens were added for the training, --grow-vocab takes over the adapter's embeddings"}
}
