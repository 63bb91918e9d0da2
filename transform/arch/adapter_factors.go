package arch

import (
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
)

// checkPlainLoRA refuses what two factors and an alpha can't say.
func checkPlainLoRA(c *adapter.Config) error {
	for _, r := range []struct {
		is   bool
		what string
	}{
		{c.Type != "LORA", "adapters of type " + c.Type},
		{!slices.Contains(plainInits, c.Init), "an adapter whose initialisation changed the base (" + c.Init + ")"},
		{c.DoRA, "DoRA (use_dora)"},
		{c.KaSA, "KaSA (kasa_config)"},
		{c.LoRABias, "trained biases (lora_bias)"},
		{c.Bias != "none", "trained biases (bias)"},
		{len(c.ModulesToSave) > 0, "modules that are trained as a whole (modules_to_save)"},
		{len(c.TokenIndices) > 0, "single rows of an embedding (trainable_token_indices)"},
		{len(c.LayerReplication) > 0, "layers that are used twice (layer_replication)"},
	} {
		if r.is {
			return formats.Reasonf(formats.ErrUnsupported, "a GGUF adapter can't hold %s", r.what)
		}
	}
	return nil
}

// plainInits are the initialisations of factors that leave the base as it is.
var plainInits = []string{"", "true", "false", "gaussian", "eva", "orthogonal", "mica"}

// A pair is the two factors of a parameter.
type pair struct {
	module    string
	param     string // "weight", or the name of fused experts
	targeted  bool   // named by target_parameters
	wrappers  int    // around the module; see [adapter.Key]
	embedding bool
	a, b      *formats.Tensor
}

// weight returns the parameter's name in the checkpoint.
func (p *pair) weight() string { return p.module + "." + p.param }

// name returns what the patterns of ranks and scales match.
func (p *pair) name() string {
	if p.targeted {
		return p.weight()
	}
	return p.module
}

// pairFactors puts the factors of each parameter together, in the order of the file.
// It returns an error if there is anything else.
func pairFactors(ad *adapter.Adapter) ([]*pair, error) {
	var pairs []*pair
	for _, t := range ad.Weights.Tensors {
		k := adapter.ParseKey(t.Name)
		i := slices.IndexFunc(pairs, func(p *pair) bool { return p.module == k.Module && p.wrappers == k.Wrappers })
		if i < 0 {
			i, pairs = len(pairs), append(pairs, &pair{module: k.Module, param: "weight", wrappers: k.Wrappers})
		}
		p := pairs[i]
		switch {
		case k.Param == "bias" || len(t.Shape) != 2:
			return nil, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported, "a GGUF adapter can't hold it"), Hint: mergeInstead}
		case k.Part == "lora_A":
			p.a = t
		case k.Part == "lora_B":
			p.b = t
		case k.Part == "lora_embedding_A":
			p.a, p.embedding = t, true
		case k.Part == "lora_embedding_B":
			p.b, p.embedding = t, true
		default:
			return nil, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported, "a GGUF adapter holds factors of matrices alone"), Hint: mergeInstead}
		}
	}
	for _, p := range pairs {
		if p.a == nil || p.b == nil {
			return nil, formats.Reasonf(formats.ErrMismatch, "of module %s one of the two factors is missing", p.module)
		}
		if err := nameParam(ad.Config, p, pairs); err != nil {
			return nil, err
		}
		if p.param == "weight" && (p.a.Shape[0] != p.b.Shape[1] || p.a.Shape[0] != ad.Config.RankOf(p.name())) {
			return nil, p.a.Error(formats.Reasonf(formats.ErrMismatch, "the factors have the shapes %v and %v, and the configuration the rank %d", p.a.Shape, p.b.Shape, ad.Config.RankOf(p.name())))
		}
	}
	return pairs, nil
}
