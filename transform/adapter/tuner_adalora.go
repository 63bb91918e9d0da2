package adapter

// AdaLoRA keeps a diagonal between its factors, prunes it while it trains, and
// divides by the rank that it began with:
//
//	W' = W + alpha / (init_r + 1e-5) · B·diag(E)·A
//
// Zhang et al., https://arxiv.org/abs/2303.10512.

func (c *Config) parseAdaLoRA() (err error) {
	if c.Rank, err = c.positive("init_r", 12); err != nil {
		return err
	}
	if c.Alpha, err = c.number("lora_alpha", 8); err != nil {
		return err
	}
	for _, r := range refusals {
		if isSet(c.object.Get(r.key)) {
			return unsupported("%s: %s", r.key, r.reason)
		}
	}
	// rank_pattern lists which of the ranks were kept: the tensors have these alone.
	return checkKeys(c.object, append(loraKeys, "target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "total_step")...)
}

func (b *builder) buildAdaLoRA(m *module) error {
	t := b.weight(m)
	if t == nil {
		return nil
	}
	av, err := b.need(m, "lora_A", -1, -1)
	if err != nil {
		return err
	}
	rank, in := av.Shape[0], av.Shape[1]
	bv, err := b.need(m, "lora_B", -1, rank)
	if err != nil {
		return err
	}
	e, err := b.need(m, "lora_E", rank, 1)
	if err != nil {
		return err
	}
	alpha := b.adapter.Config.Alpha
	if alpha <= 0 {
		alpha = float64(b.adapter.Config.Rank)
	}
	f := &factors{a: av, b: bv, rank: rank, scale: alpha / (float64(b.adapter.Config.Rank) + 1e-5), diag: &e}
	out := bv.Shape[0]
	if len(t.Shape) > 2 {
		t.flatten()
	}
	if t.MatrixRows() == out && t.MatrixCols == in && !b.isTransposed(t, in, out) {
		b.apply(t, b.delta(t, f, "adalora", false, product{hi: out, left: rowsOf(bv, rank), right: columnsOf(av, rank)}))
		return nil
	}
	if !b.isTransposed(t, in, out) {
		return b.misfit(av.Tensor, t)
	}
	b.apply(t, b.delta(t, f, "adalora", false, product{hi: in, left: columnsOf(av, rank), right: rowsOf(bv, rank)}))
	return nil
}
