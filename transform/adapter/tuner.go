package adapter

import "github.com/loratool/loratool/formats"

// A tuner is a type of adapter: how its configuration is read, and what its
// tensors do.
type tuner struct {
	parse func(*Config) error
	build func(*builder) error
}

// tuners are the types that can be merged, by peft_type.
var tuners map[string]tuner

func init() { // an initialisation loop otherwise: parsing asks what is known
	tuners = map[string]tuner{
		"LORA":             {(*Config).parseLoRA, buildLoRA},
		"ADALORA":          {(*Config).parseAdaLoRA, perModule((*builder).buildAdaLoRA)},
		"LOHA":             {(*Config).parseLyCORIS, perModule((*builder).buildLoHa)},
		"LOKR":             {(*Config).parseLyCORIS, perModule((*builder).buildLoKr)},
		"IA3":              {(*Config).parseIA3, perModule((*builder).buildIA3)},
		"VERA":             {(*Config).parseVeRA, buildVeRA},
		"OFT":              {(*Config).parseOFT, perModule((*builder).buildOFT)},
		"BOFT":             {(*Config).parseBOFT, perModule((*builder).buildBOFT)},
		"HRA":              {(*Config).parseHRA, perModule((*builder).buildHRA)},
		"MISS":             {(*Config).parseMiSS, perModule((*builder).buildMiSS)},
		"C3A":              {(*Config).parseC3A, perModule((*builder).buildC3A)},
		"SHIRA":            {(*Config).parseSHiRA, perModule((*builder).buildSHiRA)},
		"TRAINABLE_TOKENS": {(*Config).parseTokens, perModule((*builder).buildTokens)},
		"LN_TUNING":        {(*Config).parseLNTuning, perModule((*builder).buildNothing)},
	}
}

// perModule returns a build function that plans one module after another.
func perModule(build func(*builder, *module) error) func(*builder) error {
	return func(b *builder) error {
		for _, m := range b.modules {
			if err := build(b, m); err != nil {
				return err
			}
			b.finish(m)
		}
		b.checkTokens()
		return nil
	}
}

// buildNothing has no use for modules of adapter tensors: of an LN_TUNING, all
// are plain parameters.
func (b *builder) buildNothing(*module) error { return nil }

func (c *Config) parseLNTuning() error { return checkKeys(c.object) }

// parseTokens reads a TRAINABLE_TOKENS, which is the part of a LoRA that has the
// same name, on its own.
func (c *Config) parseTokens() (err error) {
	c.TokenIndices, err = parseTokenIndices(c.object.Get("token_indices"))
	if err != nil {
		return err
	}
	return checkKeys(c.object, "token_indices", "init_weights")
}

// weight returns the base's weight for a module of an adapter; nil, with all of
// the module's tensors noted as without a place, if there is none.
func (b *builder) weight(m *module) *Target {
	t := b.param(m.path, "weight")
	if t == nil || len(t.Shape) < 2 {
		b.unplaced(m, "the base has no such module")
		m.tensors = nil
		return nil
	}
	return t
}

// plainLinear returns an error unless the target is the weight of a linear layer,
// stored [out, in].
func (b *builder) plainLinear(m *module, t *Target) error {
	if t.isMatrix() && !b.isConv1D(t) {
		return nil
	}
	return &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrUnsupported,
		"module %s: %s on anything but a linear layer", m.path, b.adapter.Config.Type)}
}

// flatten makes a target's rows whole: all of an output channel for convolutions.
func (t *Target) flatten() {
	if n := t.Shape[0]; n > 0 {
		t.MatrixCols = t.NumElements() / n
	}
}

// need returns the elements of a tensor that a module must have, in the given
// shape; -1 stands for any number.
func (b *builder) need(m *module, part string, shape ...int) (values, error) {
	t := b.take(m, part)
	if t == nil {
		return values{}, &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrMismatch, "module %s has no %s", m.path, part)}
	}
	ok := len(shape) == len(t.Shape)
	for i := 0; ok && i < len(shape); i++ {
		ok = shape[i] < 0 || shape[i] == t.Shape[i]
	}
	if !ok {
		return values{}, b.mismatch(t, "shape %v, want %v (-1: any number)", t.Shape, shape)
	}
	return b.values(t)
}

// strength returns the adapter's strength.
func (b *builder) strength() float32 { return float32(b.adapter.Strength) }
