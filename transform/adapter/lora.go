package adapter

import "github.com/loratool/loratool/formats"

// buildLoRA plans the modules of a LoRA.
func buildLoRA(b *builder) error {
	nested := map[string]bool{}
	for _, m := range b.modules {
		nested[m.path] = nested[m.path] || m.wrappers > 0
	}
	done := map[string]bool{}
	for _, m := range b.modules {
		var err error
		switch {
		case m.tensors["trainable_tokens_delta"] != nil && len(m.tensors) == 1:
			err = b.buildTokens(m)
		case nested[m.path] || b.holdsParams(m.path):
			if !done[m.path] { // all wrappers of a module are planned together
				err = b.buildWrappers(m.path)
			}
			done[m.path] = true
			if err == nil {
				continue
			}
		case m.tensors["lora_embedding_A"] != nil || m.tensors["lora_embedding_B"] != nil:
			err = b.buildEmbedding(m)
		default:
			err = b.buildModule(m)
		}
		if err != nil {
			return err
		}
		b.finish(m)
	}
	b.checkTokens()
	return nil
}

// factors are the two factors of a module with what comes with them.
type factors struct {
	a, b      values
	rank      int
	scale     float64
	diag      *values // of KaSA
	magnitude *values // of DoRA
}

// takeFactors takes the factors of a module and checks them against each other
// and against the configuration. Patterns match the module's name.
func (b *builder) takeFactors(m *module, partA, partB, name string) (*factors, error) {
	c := b.adapter.Config
	ta, tb := b.take(m, partA), b.take(m, partB)
	switch {
	case ta == nil && tb == nil:
		return nil, nil
	case ta == nil:
		return nil, b.mismatch(tb, "its counterpart %s is missing", partA)
	case tb == nil:
		return nil, b.mismatch(ta, "its counterpart %s is missing", partB)
	case len(ta.Shape) < 2 || len(tb.Shape) < 2:
		return nil, b.mismatch(ta, "shapes %v and %v are no factors; an adapter that was saved from a sharded training may look so", ta.Shape, tb.Shape)
	}
	f := &factors{rank: c.rank(name), scale: c.scale(name)}
	if partA == "lora_A" {
		ta, tb = c.blocks.expand(name, ta, tb)
	}
	var err error
	if f.a, err = b.values(ta); err != nil {
		return nil, err
	}
	if f.b, err = b.values(tb); err != nil {
		return nil, err
	}
	if f.diag, err = b.takeExtra(m, "lora_diag", c.KaSA, "kasa_config"); err != nil {
		return nil, err
	}
	if f.diag != nil && f.diag.NumElements() != f.rank {
		return nil, b.mismatch(f.diag.Tensor, "shape %v, but the rank is %d", f.diag.Shape, f.rank)
	}
	f.magnitude, err = b.takeExtra(m, "lora_magnitude_vector", c.DoRA, "use_dora")
	return f, err
}

// takeExtra takes a tensor that a module has if a setting says so, and only then.
func (b *builder) takeExtra(m *module, part string, wanted bool, setting string) (*values, error) {
	t := m.tensors[part]
	switch {
	case t == nil && wanted:
		return nil, &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrMismatch,
			"module %s has no %s, though %s is set", m.path, part, setting)}
	case t == nil:
		return nil, nil
	case !wanted:
		return nil, b.mismatch(t, "the adapter has a %s, but %s is not set", part, setting)
	}
	v, err := b.values(b.take(m, part))
	return &v, err
}

// checkRank compares the rank of factors with that of the configuration, since
// the scale depends on it.
func (b *builder) checkRank(f *factors, rankA, rankB int) error {
	if rankA != rankB {
		return b.mismatch(f.a.Tensor, "rank %d, but that of its counterpart %s is %d", rankA, f.b.Name, rankB)
	}
	if rankA != f.rank {
		return b.mismatch(f.a.Tensor, "rank %d, but by the configuration (r, rank_pattern) it is %d, and the scale with it", rankA, f.rank)
	}
	return nil
}

// misfit returns the error about factors that the base's tensor does not fit.
func (b *builder) misfit(t *formats.Tensor, base *Target) error {
	return b.mismatch(t, "shape %v does not fit the base's %s of shape %v", t.Shape, base.Name, base.Shape)
}

// delta returns the op that adds the products to the target.
func (b *builder) delta(t *Target, f *factors, kind string, rounds bool, products ...product) *lowRank {
	for i := range products {
		products[i].diag = f.diag
	}
	return &lowRank{products: products, cols: t.MatrixCols, scale: float32(b.adapter.Strength * f.scale),
		info: OpInfo{Kind: kind, Rank: f.rank, Scale: f.scale, RoundsDelta: rounds}}
}

// buildModule plans the factors of a linear layer, a convolution, or an attention
// as a whole.
func (b *builder) buildModule(m *module) error {
	if m.tensors["lora_A"] == nil && m.tensors["lora_B"] == nil {
		return nil // finish says so
	}
	t, rounds := b.param(m.path, "weight"), false
	if t == nil {
		if t = b.param(m.path, "in_proj_weight"); t != nil {
			rounds = true
		} else if t = b.tiedHead(m.path, b.adapter.Config.TieWeights); t == nil {
			b.unplaced(m, "the base has no such module")
			m.tensors = nil
			return nil
		}
	}
	f, err := b.takeFactors(m, "lora_A", "lora_B", b.patternName(m.path))
	if err != nil {
		return err
	}
	if err := b.buildBias(m, f); err != nil {
		return err
	}
	if len(f.a.Shape) > 2 || len(f.b.Shape) > 2 {
		return b.buildConvolution(m, t, f)
	}
	return b.buildLinear(m, t, f, rounds)
}

// patternName returns the name of a module that patterns match: that of the
// parameter if the configuration targets it as one.
func (b *builder) patternName(module string) string {
	if name := module + ".weight"; b.adapter.Config.TargetsParameter(name) {
		return name
	}
	return module
}

// buildLinear plans the factors of a linear layer, of shape [out, in] on disk, or
// [in, out] for the layer type Conv1D of GPT-2.
func (b *builder) buildLinear(m *module, t *Target, f *factors, rounds bool) error {
	if err := b.checkRank(f, f.a.Shape[0], f.b.Shape[1]); err != nil {
		return err
	}
	in, out := f.a.Shape[1], f.b.Shape[0]
	transposed := b.isTransposed(t, in, out)
	rows, cols := out, in
	if transposed {
		rows, cols = in, out
	}
	if !t.isMatrix() || t.Shape[0] != rows || t.Shape[1] != cols {
		if b.isEmbedding(t) && t.isMatrix() && t.Shape[1] == cols {
			return b.vocabularyError(f.b.Tensor, rows, t)
		}
		if t.isMatrix() && t.Shape[0] == rows {
			return b.misfit(f.a.Tensor, t)
		}
		return b.misfit(f.b.Tensor, t)
	}
	p := product{hi: rows, left: rowsOf(f.b, f.rank), right: columnsOf(f.a, f.rank)}
	if transposed {
		p = product{hi: rows, left: columnsOf(f.a, f.rank), right: rowsOf(f.b, f.rank)}
	}
	if b.isTiedPair(t) && b.adapter.Config.TieWeights {
		return b.applyTied(m, f, t, p)
	}
	return b.applyFactors(m, t, f, transposed, b.delta(t, f, "lora", rounds || b.roundsVariant(), p))
}

// roundsVariant reports whether PEFT rounds the change of a linear layer before it
// adds it: for some variants of LoRA.
func (b *builder) roundsVariant() bool {
	c := b.adapter.Config
	return c.blocks != nil || c.KaSA || isSet(c.object.Get("monteclora_config"))
}

// applyFactors applies a delta: plain, as a DoRA, or on the residual of the base.
func (b *builder) applyFactors(m *module, t *Target, f *factors, byColumns bool, delta *lowRank) error {
	residual, err := b.residual(m, t, f, byColumns)
	if err != nil {
		return err
	}
	switch {
	case residual != nil && f.magnitude != nil:
		return &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"module %s: DoRA on a base that %s changed", m.path, residual.kind)}
	case residual != nil:
		delta.scale = float32(f.scale)
		residual.delta = delta
		b.apply(t, residual)
	case f.magnitude != nil:
		delta.scale = float32(f.scale)
		dora, err := newDoRA(delta, *f.magnitude, t.Ground(), t.MatrixRows(), byColumns, float32(b.adapter.Strength))
		if err != nil {
			return err
		}
		b.apply(t, dora)
	default:
		b.apply(t, delta)
	}
	return nil
}

// buildBias plans the trained bias of lora_B.
func (b *builder) buildBias(m *module, f *factors) error {
	v, err := b.takeExtra(m, "lora_B.bias", b.adapter.Config.LoRABias, "lora_bias")
	if err != nil || v == nil {
		return err
	}
	t := b.param(m.path, "bias")
	if t == nil {
		return b.mismatch(v.Tensor, "module %s has no bias in the base that it could be added to", m.path)
	}
	if v.NumElements() != t.NumElements() {
		return b.misfit(v.Tensor, t)
	}
	b.apply(t, &addVector{*v, float32(b.adapter.Strength * f.scale), OpInfo{Kind: "bias", Scale: f.scale}})
	return nil
}
