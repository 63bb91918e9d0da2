package arch

import (
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
)

// placeFactors adds a parameter's factors to the output, under the names of the
// tensors that the parameter is in GGUF.
func (a *Architecture) placeFactors(c *Config, base *formats.Model, ad *adapter.Adapter, p *pair, out *formats.Model, stacks *factorStacks) error {
	name := a.findWeight(p.weight())
	rules := a.rulesForHF(a.plainName(name))
	if len(rules) == 0 {
		return p.a.Error(formats.Reasonf(formats.ErrMismatch, "the base, %s, has no module %s that an adapter could be for", a.Name, p.module))
	}
	if name == "lm_head.weight" && c.get("tie_word_embeddings") == true {
		return &formats.Error{Tensor: p.a.Name, Err: formats.Reasonf(formats.ErrUnsupported, "the base's head is its embedding, so GGUF has no tensor that this could be for"), Hint: mergeInstead}
	}
	if err := checkFactors(base, name, p); err != nil {
		return err
	}
	ga, b := p.a, p.b
	if p.embedding {
		ga = transpose(ga, ga.Name)
	}
	if p.fused() {
		var err error
		if ga, b, err = expertFactors(c, p, ad.Config.RankOf(p.name())); err != nil {
			return err
		}
	}
	b = scaled(b, correction(ad.Config, p.name()))
	for _, r := range rules {
		n, suffix, _ := match(r.hf, a.plainName(name))
		target := expand(r.gguf, n, suffix)
		if a.isUnadapted(target) {
			return &formats.Error{Tensor: p.a.Name, Err: formats.Reasonf(formats.ErrUnsupported, "llama.cpp takes no notice of adapters for %s of this architecture", target), Hint: mergeInstead}
		}
		gb, err := factorRows(c, &r, b)
		if err != nil {
			return p.b.Error(err)
		}
		if n.expert >= 0 {
			stacks.add(target, n.expert, ga, gb)
			continue
		}
		out.Tensors = append(out.Tensors, renamed(ga, target+".lora_a", ga.Shape), renamed(gb, target+".lora_b", gb.Shape))
	}
	return nil
}

// findWeight returns the Hugging Face name of a parameter, whether or not the
// adapter was trained on the model with the prefix that the base has.
func (a *Architecture) findWeight(name string) string {
	if len(a.rulesForHF(a.plainName(name))) > 0 {
		return name
	}
	return "model." + name
}

// isUnadapted reports whether llama.cpp would ignore an adapter for a tensor.
func (a *Architecture) isUnadapted(name string) bool {
	return slices.ContainsFunc(a.unadapted, func(p string) bool {
		_, _, ok := match(p, name)
		return ok
	})
}

// checkFactors compares the factors' shapes with the base's weight, if the base has
// it under the adapter's name.
func checkFactors(base *formats.Model, name string, p *pair) error {
	t := base.Tensor(name)
	if t == nil || len(t.Shape) != 2 || base.Format == "gguf" {
		return nil
	}
	out, in := p.b.Shape[0], p.a.Shape[1]
	if p.embedding {
		out, in = in, out
	}
	if t.Shape[0] == out && t.Shape[1] == in || t.Shape[0] == in && t.Shape[1] == out {
		return nil
	}
	return p.a.Error(formats.Reasonf(formats.ErrMismatch, "the factors change a matrix of %d×%d, the base's %s has the shape %v", out, in, name, t.Shape))
}

// factorRows returns B with its rows where GGUF has them.
func factorRows(c *Config, r *rule, b *formats.Tensor) (*formats.Tensor, error) {
	switch o := r.orSame().(type) {
	case same, turned: // GGUF's matrices are [out, in], as the factors' product is
		return b, nil
	case *rowOrder:
		return o.toGGUF(c, b, b.Name)
	}
	return nil, &formats.Error{Err: formats.Reasonf(formats.ErrUnsupported, "GGUF keeps the base's matrix in another form (%s), which no pair of factors can follow", r.gguf), Hint: mergeInstead}
}
