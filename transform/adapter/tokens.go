package adapter

import "slices"

// buildTokens plans trained rows of an embedding. Which rows they are, only the
// configuration says.
func (b *builder) buildTokens(m *module) error {
	t := b.param(m.path, "weight")
	if t == nil {
		if t = b.tiedHead(m.path, !b.tokensApart()); t == nil {
			b.unplaced(m, "the base has no such module")
			m.tensors = nil
			return nil
		}
	}
	if m.tensors["trainable_tokens_delta"] == nil {
		return nil // finish says so
	}
	v, err := b.values(b.take(m, "trainable_tokens_delta"))
	if err != nil {
		return err
	}
	rows := b.tokenRows(m.path, t)
	if rows == nil {
		return b.mismatch(v.Tensor, "trainable_token_indices says nothing about %s, so which rows these are is unknown", m.path)
	}
	if !t.isMatrix() || len(v.Shape) != 2 || v.Shape[1] != t.Shape[1] {
		return b.misfit(v.Tensor, t)
	}
	if v.Shape[0] != len(rows) {
		return b.mismatch(v.Tensor, "%d rows, but trainable_token_indices lists %d", v.Shape[0], len(rows))
	}
	seen := map[int]bool{}
	for _, r := range rows {
		if r >= t.Shape[0] {
			return b.mismatch(v.Tensor, "row %d is trained, but the base's vocabulary %s has %d rows", r, t.Name, t.Shape[0])
		}
		if seen[r] {
			return b.mismatch(v.Tensor, "trainable_token_indices lists row %d twice", r)
		}
		seen[r] = true
	}
	op := newReplaceRows(v, t.Shape[1], rows, float32(b.adapter.Strength))
	if b.isTiedPair(t) && !b.tokensApart() {
		if !slices.ContainsFunc(b.both, func(a Applied) bool { return a.Adapter == b.number }) {
			b.both = append(b.both, Applied{op, b.number, b.adapter.Strength})
		}
		return nil
	}
	b.apply(t, op)
	return nil
}

// tokensApart reports whether the configuration names rows of the head apart from
// those of the tied embedding. Otherwise an adapter that has both has the same
// twice.
func (b *builder) tokensApart() bool {
	return slices.ContainsFunc(b.adapter.Config.TokenIndices, func(x TokenIndices) bool { return x.Module != "" && b.isHead(x.Module) })
}

// tokenRows returns the rows that the configuration gives a module, or nil.
func (b *builder) tokenRows(path string, t *Target) []int {
	for _, x := range b.adapter.Config.TokenIndices {
		if x.Module != "" && isOrEndsIn(path, x.Module) {
			return x.Rows
		}
	}
	for _, x := range b.adapter.Config.TokenIndices {
		if x.Module == "" && (b.isEmbedding(t) || b.input == nil) {
			return x.Rows
		}
	}
	return nil
}

// checkTokens notes embeddings whose rows should have been trained but have no
// tensor.
func (b *builder) checkTokens() {
	for _, x := range b.adapter.Config.TokenIndices {
		found := false
		for _, m := range b.modules {
			for _, part := range m.order {
				found = found || part == "trainable_tokens_delta" && (x.Module == "" || isOrEndsIn(m.path, x.Module))
			}
		}
		if !found && len(x.Rows) > 0 {
			name := x.Module
			if name == "" {
				name = "the input embedding"
			}
			b.problem(name, "trainable_token_indices lists rows of it, but the adapter has no trainable_tokens_delta for it")
		}
	}
}
