package arch

import (
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/adapter"
)

// AdapterFromGGUF returns a GGUF adapter as a LoRA of the PEFT library for the base,
// which is a checkpoint or GGUF: weights with adapter_config.json beside them.
func AdapterFromGGUF(m, base *formats.Model) (*formats.Model, error) {
	a, c, err := configured(base)
	if err != nil {
		return nil, err
	}
	if err := checkAdapter(m, a); err != nil {
		return nil, &formats.Error{Path: m.Path, Err: err}
	}
	out := &formats.Model{Path: m.Path, Format: "safetensors", Stem: "adapter_model", Inputs: m.Inputs}
	r := &loraConfig{}
	for _, t := range m.Tensors {
		name, ok := baseName(t.Name)
		if !ok {
			return nil, t.Error(formats.Reasonf(formats.ErrUnsupported, "it is no factor of a LoRA"))
		}
		if t.Name == name+factorB {
			if m.Tensor(name+factorA) == nil {
				return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "its counterpart %s is missing", name+factorA))
			}
			continue
		}
		b := m.Tensor(name + factorB)
		if b == nil {
			return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "its counterpart %s is missing", name+factorB))
		}
		if err := a.restoreFactors(c, name, t, b, out, r); err != nil {
			return nil, inFile(m.Path, err)
		}
	}
	alpha, _ := m.Metadata.Get("adapter.lora.alpha").(float32)
	path, _ := base.Metadata.Get("general.name").(string)
	if base.Format != "gguf" {
		path = base.Path
	}
	out.Files = []formats.Asset{{Name: adapter.ConfigName, Data: strictjson.Format(r.config(shortest(alpha), path))}}
	return out, nil
}

// OpenAdapter returns a GGUF adapter ready to be merged into the base.
func OpenAdapter(m, base *formats.Model) (*adapter.Adapter, error) {
	weights, err := AdapterFromGGUF(m, base)
	if err != nil {
		return nil, err
	}
	config, err := adapter.ParseConfig(weights.Asset(adapter.ConfigName).Data)
	if err != nil {
		return nil, err
	}
	return adapter.New(weights, config), nil
}

// checkAdapter returns an error unless the file is a LoRA for the architecture.
func checkAdapter(m *formats.Model, a *Architecture) error {
	if kind, _ := m.Metadata.Get("adapter.type").(string); !IsAdapter(m) || kind != "lora" {
		return formats.Reasonf(formats.ErrUnsupported, "it is no LoRA (general.type %v, adapter.type %q)", m.Metadata.Get("general.type"), kind)
	}
	if name := m.Metadata.Get("general.architecture"); name != a.Name {
		return formats.Reasonf(formats.ErrMismatch, "the adapter is for %v, the base is %s", name, a.Name)
	}
	if m.Metadata.Get("adapter.alora.invocation_tokens") != nil {
		return formats.Reasonf(formats.ErrUnsupported, "an activated LoRA is in effect only after its invocation tokens")
	}
	return nil
}

// restoreFactors adds the factors of a GGUF tensor to the output, under the names of
// the module, or modules of experts, that it is the weight of.
func (a *Architecture) restoreFactors(c *Config, name string, ga, gb *formats.Tensor, out *formats.Model, l *loraConfig) error {
	r := a.ruleForGGUF(name)
	if r == nil {
		return ga.Error(formats.Reasonf(formats.ErrMismatch, "the architecture %s has no tensor %s", a.Name, name))
	}
	n, suffix, _ := match(r.gguf, name)
	put := func(n numbers, fa, fb *formats.Tensor) error {
		if len(fa.Shape) != 2 || len(fb.Shape) != 2 {
			return fa.Error(formats.Reasonf(formats.ErrMismatch, "the factors have the shapes %v and %v", fa.Shape, fb.Shape))
		}
		module := moduleOf(a.hfName(r.hf, n, suffix))
		nameA, nameB := ".lora_A.weight", ".lora_B.weight"
		if name == "token_embd.weight" { // whose A is stored the other way round
			fa = transpose(fa, fa.Name)
			nameA, nameB = ".lora_embedding_A", ".lora_embedding_B"
		}
		if fa.Shape[0] != fb.Shape[1] {
			return fa.Error(formats.Reasonf(formats.ErrMismatch, "rank %d, but that of its counterpart is %d", fa.Shape[0], fb.Shape[1]))
		}
		hb, err := restoreRows(c, r, fb)
		if err != nil {
			return fb.Error(err)
		}
		const prefix = "base_model.model."
		out.Tensors = append(out.Tensors, renamed(fa, prefix+module+nameA, fa.Shape), renamed(hb, prefix+module+nameB, hb.Shape))
		l.modules, l.ranks = append(l.modules, module), append(l.ranks, fa.Shape[0])
		return nil
	}
	if n.expert = -1; !slices.Contains([]byte(r.hf), '@') {
		return put(n, ga, gb)
	}
	if len(ga.Shape) != 3 || len(gb.Shape) != 3 || ga.Shape[0] != gb.Shape[0] {
		return ga.Error(formats.Reasonf(formats.ErrMismatch, "the factors of experts have the shapes %v and %v", ga.Shape, gb.Shape))
	}
	for e := range ga.Shape[0] {
		n.expert = e
		one := func(t *formats.Tensor) *formats.Tensor {
			rows := t.Shape[1]
			return gather(t.Name, t.Shape[1:], []run{{t, e * rows, (e + 1) * rows}})
		}
		if err := put(n, one(ga), one(gb)); err != nil {
			return err
		}
	}
	return nil
}

// restoreRows undoes factorRows.
func restoreRows(c *Config, r *rule, b *formats.Tensor) (*formats.Tensor, error) {
	switch o := r.orSame().(type) {
	case same, turned:
		return b, nil
	case *rowOrder:
		if o.parts < 2 {
			return o.toHF(c, []part{{o, b}}, b.Name)
		}
	}
	return nil, formats.Reasonf(formats.ErrUnsupported, "the checkpoint keeps the matrix in another form (%s), which no pair of factors can follow", r.hf)
}

// loraConfig collects what adapter_config.json says.
type loraConfig struct {
	modules []string
	ranks   []int
}

// config returns adapter_config.json. llama.cpp's scale is alpha/rank, with 1 for an
// alpha of 0.
func (l *loraConfig) config(alpha float64, base string) *strictjson.Object {
	count := map[int]int{}
	common := 1
	for _, r := range l.ranks {
		if count[r]++; count[r] > count[common] {
			common = r
		}
	}
	ranks, alphas := &strictjson.Object{}, &strictjson.Object{}
	targets := make(strictjson.Array, len(l.modules))
	for i, module := range l.modules {
		targets[i] = module
		if l.ranks[i] != common {
			ranks.Set(module, strictjson.Int(l.ranks[i]))
			if alpha == 0 {
				alphas.Set(module, strictjson.Int(l.ranks[i]))
			}
		}
	}
	if alpha == 0 {
		alpha = float64(common)
	}
	o := &strictjson.Object{}
	for _, m := range []strictjson.Member{
		{Key: "peft_type", Value: "LORA"}, {Key: "task_type", Value: "CAUSAL_LM"}, {Key: "base_model_name_or_path", Value: base},
		{Key: "r", Value: strictjson.Int(common)}, {Key: "lora_alpha", Value: strictjson.Float(alpha)}, {Key: "lora_dropout", Value: strictjson.Float(0)},
		{Key: "bias", Value: "none"}, {Key: "rank_pattern", Value: ranks}, {Key: "alpha_pattern", Value: alphas},
		{Key: "target_modules", Value: targets}, {Key: "inference_mode", Value: true},
	} {
		o.Set(m.Key, m.Value)
	}
	return o
}
