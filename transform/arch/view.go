package arch

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// A View is a GGUF model seen as the checkpoint that it was converted from, for
// transformations that speak of checkpoints.
type View struct {
	Model *formats.Model // the checkpoint: tensors in F32, config.json, GGUF's own metadata

	base *formats.Model
	view *view
}

// NewView returns the view of a GGUF model. It returns an error wrapping
// [formats.ErrUnsupported] if there is no table for its architecture, or a tensor
// can't be read as float32.
func NewView(m *formats.Model) (*View, error) {
	v, err := newView(m)
	if err != nil {
		return nil, err
	}
	tensors := make([]*formats.Tensor, len(m.Tensors))
	for i, t := range m.Tensors {
		if tensors[i], err = encode(t, formats.F32); err != nil {
			return nil, inFile(m.Path, err)
		}
	}
	out := &formats.Model{Path: m.Path, Format: "safetensors", Metadata: m.Metadata, Files: hf.WithConfig(nil, v.json), Inputs: m.Inputs}
	if out.Tensors, err = v.arch.tensorsToHF(v.config, tensors); err != nil {
		return nil, inFile(m.Path, err)
	}
	return &View{out, m, v}, nil
}

// Names returns what GGUF calls a tensor of the checkpoint, or the tensors that it
// is a part of or divided into.
func (v *View) Names(name string) []string {
	a := v.view.arch
	name = a.plainName(name)
	var out []string
	for _, r := range a.rulesForHF(name) {
		n, suffix, _ := match(r.hf, name)
		out = append(out, expand(r.gguf, n, suffix))
	}
	return out
}

// Back returns the GGUF model of a changed checkpoint: a transformation of View.Model
// that kept every tensor's name and shape, and may have added some. Tensors that it
// left alone are those of the GGUF model, byte for byte; the others are F32, and
// keep says which number format each had. New ones have that of the embedding.
func (v *View) Back(changed *formats.Model) (m *formats.Model, keep map[string]formats.DType, err error) {
	a := v.view.arch
	c, err := readConfig(changed)
	if err != nil {
		return nil, nil, err
	}
	if err := a.complete(c); err != nil {
		return nil, nil, err
	}
	touched := map[string]bool{}
	for _, t := range changed.Tensors {
		old := v.Model.Tensor(t.Name)
		if old != nil && !slices.Equal(old.Shape, t.Shape) {
			return nil, nil, t.Error(formats.Reasonf(formats.ErrUnsupported, "its shape changes from %v to %v, and with it what only a checkpoint can tell", old.Shape, t.Shape))
		}
		if old == t {
			continue
		}
		for _, name := range v.Names(t.Name) {
			touched[name] = true
		}
	}
	made, err := a.pairToGGUF(c, changed.Tensors)
	if err != nil {
		return nil, nil, inFile(changed.Path, err)
	}
	byName := map[string]*formats.Tensor{}
	for _, t := range made {
		byName[t.Name] = t
	}
	m = &formats.Model{Path: v.base.Path, Format: "gguf", Stem: v.base.Stem, Metadata: changed.Metadata, Inputs: changed.Inputs}
	keep = map[string]formats.DType{}
	put := func(name string, d formats.DType) { m.Tensors, keep[name] = append(m.Tensors, byName[name]), d }
	for _, t := range v.base.Tensors {
		if touched[t.Name] && byName[t.Name] != nil {
			put(t.Name, t.DType)
		} else {
			m.Tensors = append(m.Tensors, t)
		}
	}
	for _, t := range made {
		if v.base.Tensor(t.Name) == nil {
			put(t.Name, v.base.Tensor("token_embd.weight").DType)
		}
	}
	return m, keep, nil
}

// Encode returns a tensor in another number format, by way of float32.
func Encode(t *formats.Tensor, d formats.DType) (*formats.Tensor, error) { return encode(t, d) }

// configured returns the architecture of a model of either side, with its complete
// configuration.
func configured(m *formats.Model) (*Architecture, *Config, error) {
	if m.Format == "gguf" {
		v, err := newView(m)
		if err != nil {
			return nil, nil, err
		}
		return v.arch, v.config, nil
	}
	c, err := readConfig(m)
	if err != nil {
		return nil, nil, err
	}
	a, err := architectureOf(&Config{root: withoutQuantization(c.root), text: c.text, path: c.path, model: m}, nil)
	if err != nil {
		return nil, nil, err
	}
	return a, c, a.complete(c)
}

// withoutQuantization leaves out how the weights are stored: for an adapter it does
// not matter.
func withoutQuantization(config *strictjson.Object) *strictjson.Object {
	out := strictjson.Clone(config).(*strictjson.Object)
	out.Delete("quantization_config")
	return out
}

// moduleOf returns the path of the module that a weight belongs to.
func moduleOf(weight string) string { return strings.TrimSuffix(weight, ".weight") }
