package arch

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/adapter"
)

// A GGUF adapter is a LoRA: for each tensor NAME of the base two more, NAME.lora_a of
// shape [rank, in] and NAME.lora_b of shape [out, rank], in GGUF's row order, and one
// alpha for all. llama.cpp multiplies each product by alpha/rank.

// mergeInstead is the way out for what a GGUF adapter can't hold.
const mergeInstead = "merge it into the base instead: loratool merge BASE --lora ADAPTER -o OUT.gguf"

// AdapterToGGUF returns a LoRA of the PEFT library as a GGUF adapter for the base,
// which is a checkpoint or GGUF. The rows of B are put into GGUF's order, and where
// a module's scale is not alpha/rank, as with rank-stabilized adapters and
// alpha_pattern, B is multiplied by what makes it so. typ is F32, which Auto means
// here, F16 or BF16.
//
// It returns an error wrapping [formats.ErrUnsupported] for what a GGUF adapter
// can't hold, and [formats.ErrMismatch] if the adapter does not fit the base.
func AdapterToGGUF(ad *adapter.Adapter, base *formats.Model, typ Type) (*formats.Model, error) {
	a, c, err := configured(base)
	if err != nil {
		return nil, err
	}
	fail := func(err error) error { return inFile(ad.Weights.Path, err) }
	if err := checkPlainLoRA(ad.Config); err != nil {
		return nil, &formats.Error{Path: ad.Path, Err: err, Hint: mergeInstead}
	}
	if typ == Auto {
		typ = F32
	}
	pairs, err := pairFactors(ad)
	if err != nil {
		return nil, fail(err)
	}
	out := &formats.Model{Path: ad.Path, Format: "gguf", Inputs: ad.Weights.Inputs, Metadata: adapterKeys(a, ad)}
	stacks := newFactorStacks()
	for _, p := range pairs {
		if err := a.placeFactors(c, base, ad, p, out, stacks); err != nil {
			return nil, fail(err)
		}
	}
	if err := stacks.finish(out); err != nil {
		return nil, fail(err)
	}
	for i, t := range out.Tensors {
		if out.Tensors[i], err = encode(t, types[typ].dtype); err != nil {
			return nil, fail(err)
		}
	}
	return out, nil
}

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
		{len(c.TargetParameters) > 0, "parameters of fused experts (target_parameters)"},
	} {
		if r.is {
			return formats.Reasonf(formats.ErrUnsupported, "a GGUF adapter can't hold %s", r.what)
		}
	}
	return nil
}

// plainInits are the initialisations of factors that leave the base as it is.
var plainInits = []string{"", "true", "false", "gaussian", "eva", "orthogonal", "mica"}

// A pair is a module's two factors.
type pair struct {
	module    string
	embedding bool
	a, b      *formats.Tensor
}

// pairFactors puts the factors of each module together, in the order of the file.
// It returns an error if there is anything else.
func pairFactors(ad *adapter.Adapter) ([]*pair, error) {
	var pairs []*pair
	for _, t := range ad.Weights.Tensors {
		k := adapter.ParseKey(t.Name)
		i := slices.IndexFunc(pairs, func(p *pair) bool { return p.module == k.Module })
		if i < 0 {
			i, pairs = len(pairs), append(pairs, &pair{module: k.Module})
		}
		p := pairs[i]
		switch {
		case k.Wrappers > 0 || k.Param == "bias" || len(t.Shape) != 2:
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
		switch {
		case p.a == nil || p.b == nil:
			return nil, formats.Reasonf(formats.ErrMismatch, "of module %s one of the two factors is missing", p.module)
		case p.a.Shape[0] != p.b.Shape[1] || p.a.Shape[0] != ad.Config.RankOf(p.module):
			return nil, p.a.Error(formats.Reasonf(formats.ErrMismatch, "the factors have the shapes %v and %v, and the configuration the rank %d", p.a.Shape, p.b.Shape, ad.Config.RankOf(p.module)))
		}
	}
	return pairs, nil
}

// placeFactors adds a module's factors to the output, under the names of the tensors
// that the module's weight is in GGUF.
func (a *Architecture) placeFactors(c *Config, base *formats.Model, ad *adapter.Adapter, p *pair, out *formats.Model, stacks *factorStacks) error {
	name := a.findWeight(base, p.module)
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
	b := scaled(p.b, correction(ad.Config, p.module, p.a.Shape[0]))
	for _, r := range rules {
		n, suffix, _ := match(r.hf, a.plainName(name))
		target := expand(r.gguf, n, suffix)
		gb, err := factorRows(c, &r, b)
		if err != nil {
			return p.b.Error(err)
		}
		ga := p.a
		if p.embedding {
			ga = transpose(ga, ga.Name)
		}
		if n.expert >= 0 {
			stacks.add(target, n.expert, ga, gb)
			continue
		}
		out.Tensors = append(out.Tensors, renamed(ga, target+".lora_a", ga.Shape), renamed(gb, target+".lora_b", gb.Shape))
	}
	return nil
}

// findWeight returns the Hugging Face name of a module's weight, whether or not the
// adapter was trained on the model with the prefix that the base has.
func (a *Architecture) findWeight(base *formats.Model, module string) string {
	name := module + ".weight"
	if len(a.rulesForHF(a.plainName(name))) > 0 {
		return name
	}
	return "model." + name
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

// correction returns what B must be multiplied by so that alpha/rank is the true
// scale. An alpha of 0 means a scale of 1 to llama.cpp.
func correction(c *adapter.Config, module string, rank int) float32 {
	scale := c.ScaleOf(module)
	if c.Alpha == 0 {
		return float32(scale)
	}
	return float32(scale / (c.Alpha / float64(rank)))
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

// adapterKeys returns the key-values.
func adapterKeys(a *Architecture, ad *adapter.Adapter) formats.Metadata {
	kv := formats.Metadata{
		{Key: "general.architecture", Value: a.Name}, {Key: "general.type", Value: "adapter"}, {Key: "adapter.type", Value: "lora"},
	}
	g := &general{texts: map[string]string{}}
	dir := ad.Path
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	var parameters int64
	for _, t := range ad.Weights.Tensors {
		parameters += int64(t.NumElements())
	}
	g.readName(filepath.Base(dir), -parameters)
	delete(g.texts, "size_label")
	kv = append(kv, g.keyValues()...)
	return append(kv, formats.KeyValue{Key: "adapter.lora.alpha", Value: float32(ad.Config.Alpha)},
		formats.KeyValue{Key: quantizationVersionKey, Value: uint32(quantizationVersion)})
}

// factorStacks collect the factors of experts.
type factorStacks struct {
	names []string
	a, b  map[string][]*formats.Tensor
}

func newFactorStacks() *factorStacks {
	return &factorStacks{a: map[string][]*formats.Tensor{}, b: map[string][]*formats.Tensor{}}
}

func (s *factorStacks) add(name string, expert int, a, b *formats.Tensor) {
	if s.a[name] == nil {
		s.names = append(s.names, name)
	}
	for len(s.a[name]) <= expert {
		s.a[name], s.b[name] = append(s.a[name], nil), append(s.b[name], nil)
	}
	s.a[name][expert], s.b[name][expert] = a, b
}

// finish adds the stacks to the output. All experts must be there, with one rank.
func (s *factorStacks) finish(out *formats.Model) error {
	for _, name := range s.names {
		for _, f := range []struct {
			part string
			list []*formats.Tensor
		}{{".lora_a", s.a[name]}, {".lora_b", s.b[name]}} {
			var runs []run
			for e, t := range f.list {
				if t == nil {
					return formats.Reasonf(formats.ErrUnsupported, "expert %d of %s has no factors, and a GGUF adapter needs them of all", e, name)
				}
				if !slices.Equal(t.Shape, f.list[0].Shape) || t.DType != f.list[0].DType {
					return t.Error(formats.Reasonf(formats.ErrUnsupported, "%v, but %v for the first expert: a GGUF adapter needs one rank for all", &t.Info, &f.list[0].Info))
				}
				runs = append(runs, run{t, 0, t.NumRows()})
			}
			out.Tensors = append(out.Tensors, gather(name+f.part, append([]int{len(runs)}, f.list[0].Shape...), runs))
		}
	}
	return nil
}

// multiplied are a tensor's numbers times a constant, as float32.
type multiplied struct {
	from *formats.Tensor
	by   float32
}

// scaled returns the tensor times a constant: itself if that is 1.
func scaled(t *formats.Tensor, by float32) *formats.Tensor {
	if by == 1 {
		return t
	}
	return &formats.Tensor{Info: formats.Info{Name: t.Name, DType: formats.F32, Shape: t.Shape}, Rows: &multiplied{t, by}}
}

func (m *multiplied) Scratch(n int) int64 {
	return 4*int64(n)*int64(m.from.NumCols()) + m.from.FloatScratch(n)
}

func (m *multiplied) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * m.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := m.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	kernels.Scale(x, m.by)
	kernels.EncodeF32(dst, x)
	return nil
}

// IsAdapter reports whether a GGUF model is an adapter.
func IsAdapter(m *formats.Model) bool {
	return m.Format == "gguf" && m.Metadata.Get("general.type") == "adapter"
}

// suffixes of an adapter's tensors.
const (
	factorA = ".lora_a"
	factorB = ".lora_b"
)

func baseName(name string) (base string, ok bool) {
	for _, s := range []string{factorA, factorB} {
		if base, ok = strings.CutSuffix(name, s); ok {
			return base, true
		}
	}
	return name, false
}
