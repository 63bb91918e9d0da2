package adapter

import (
	"regexp"

	"github.com/loratool/loratool/formats"
)

// Some initialisations change the base before training: the factors begin with a
// part of the weight, and the base keeps the rest. Such an adapter says nothing
// about the published base by itself.

// residualInits are those whose change of the base follows from the base alone.
var residualInits = map[string]bool{"pissa": true, "olora": true}

// lostInits are those that can't be repeated, with the reason.
var lostInits = []struct {
	init   *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`^pissa_niter_\d+$`), "it took random projections that are not in the file"},
	{regexp.MustCompile(`^corda`), "it took statistics of activations that are not in the file"},
	{regexp.MustCompile(`^loftq$`), "it took the quantizer's errors"},
	{regexp.MustCompile(`^lora_ga$`), "it took gradients that are not in the file"},
}

// plainInits leave the base alone.
var plainInits = map[string]bool{"": true, "gaussian": true, "eva": true, "orthogonal": true, "mica": true, "true": true, "false": true}

// residualKind returns the initialisation whose change of the base has to be
// repeated, or "" for none. It returns an error if the user has to say, or that
// can't be.
func (b *builder) residualKind() (string, error) {
	c := b.adapter.Config
	name := c.Init
	if c.KaSA {
		name = "kasa"
	}
	refuse := func(hint, format string, args ...any) error {
		return &formats.Error{Path: b.adapter.Path, Err: formats.Reasonf(formats.ErrUnsupported, format, args...), Hint: hint}
	}
	const residualHint = "if the base given is the changed one already, say --base-is residual"
	switch {
	case plainInits[name] || b.options.BaseIs == BaseResidual:
		return "", nil
	case residualInits[name] || c.KaSA:
		if b.options.BaseIs == BaseOriginal {
			return name, nil
		}
		return "", refuse("say --base-is original for the published base, which is then changed in the same way, or --base-is residual for one that is changed already",
			"the initialisation %q changed the base that the adapter was trained on, and which base this is was not said", name)
	}
	for _, l := range lostInits {
		if l.init.MatchString(name) {
			return "", refuse(residualHint, "the initialisation %q changed the base that the adapter was trained on, and the change can't be repeated: %s", name, l.reason)
		}
	}
	return "", refuse("", "init_lora_weights %q is unknown: whether it changed the base can't be told", name)
}

// residual returns the op that makes the change of the base to a target, before
// the factors are added; nil if there is none to make.
func (b *builder) residual(m *module, t *Target, f *factors, byColumns bool) (*residual, error) {
	kind, err := b.residualKind()
	if kind == "" || err != nil {
		return nil, err
	}
	// PEFT changes the base of linear layers alone. It decomposes the weight of
	// a Conv1D turned, which makes a difference to all but a PiSSA.
	if !t.isMatrix() || m.order[0] == "lora_embedding_A" || m.order[0] == "lora_embedding_B" || byColumns && kind != "pissa" {
		return nil, &formats.Error{Path: b.adapter.Path, Err: formats.Reasonf(formats.ErrUnsupported, "module %s: %s is for linear layers", m.path, kind)}
	}
	rank := f.rank
	if rank >= min(t.Shape[0], t.Shape[1]) && kind == "kasa" || rank > min(t.Shape[0], t.Shape[1]) {
		return nil, b.mismatch(f.a.Tensor, "rank %d, but the base's %s of shape %v has not as many directions", rank, t.Name, t.Shape)
	}
	return &residual{kind: kind, base: t.Ground(), rank: rank, strength: float32(b.adapter.Strength)}, nil
}
