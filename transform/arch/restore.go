package arch

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// FromGGUF returns a GGUF model as a Hugging Face checkpoint: tensors under their
// names and in their row order there, config.json, tokenizer and chat template.
// Floating-point and quantized tensors become dtype; Invalid stands for what the
// file type says, F16 for quantized ones. What GGUF does not hold (pooling layers,
// dropout rates, most of the model card) is absent.
//
// It returns an error wrapping [formats.ErrUnsupported] if there is no table for
// the architecture, or the model has something that a checkpoint can't express.
func FromGGUF(m *formats.Model, dtype formats.DType) (*formats.Model, error) {
	v, err := newView(m)
	if err != nil {
		return nil, err
	}
	if dtype == formats.Invalid {
		dtype = dtypeOf(m)
	}
	tensors := make([]*formats.Tensor, len(m.Tensors))
	for i, t := range m.Tensors {
		tensors[i] = t
		if t.DType == formats.MXFP4 && v.arch.quantMethod == "mxfp4" {
			continue // a checkpoint's blocks are these, written otherwise
		}
		if tensors[i], err = encode(t, formats.F32); err != nil {
			return nil, inFile(m.Path, err)
		}
	}
	out := &formats.Model{Path: m.Path, Format: "safetensors", Stem: "model", Inputs: m.Inputs}
	if out.Tensors, err = v.arch.tensorsToHF(v.config, tensors); err != nil {
		return nil, inFile(m.Path, err)
	}
	quantized := false
	for i, t := range out.Tensors {
		switch {
		case t.DType == formats.U8:
			quantized = true
		case strings.HasSuffix(t.Name, ".e_score_correction_bias"): // which models compute with in F32
		default:
			if out.Tensors[i], err = encode(t, dtype); err != nil {
				return nil, inFile(m.Path, err)
			}
		}
	}
	config := strictjson.Clone(v.json).(*strictjson.Object)
	config.Set("torch_dtype", "")
	hf.SetDType(config, dtype)
	if quantized {
		config.Set("quantization_config", &strictjson.Object{Members: []strictjson.Member{{Key: "quant_method", Value: v.arch.quantMethod}}})
	}
	words, err := tokenizer.FromGGUF(m.Metadata)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	out.Files = append(hf.WithConfig(nil, config), words...)
	out.Files = append(out.Files, generationConfig(m)...)
	out.Files = append(out.Files, v.arch.poolingFiles(m)...)
	return out, nil
}

// dtypeOf returns the number format that a file type stands for in a checkpoint.
func dtypeOf(m *formats.Model) formats.DType {
	file, _ := m.Metadata.Get(fileTypeKey).(uint32)
	for _, t := range types {
		if t.file == file && t.dtype.IsFloat() {
			return t.dtype
		}
	}
	if file == fileMXFP4 {
		return formats.BF16
	}
	return formats.F16
}

// A view is a GGUF model with what its tensors are in a checkpoint.
type view struct {
	arch   *Architecture
	config *Config
	json   *strictjson.Object // config.json
}

func newView(m *formats.Model) (*view, error) {
	name, _ := m.Metadata.Get("general.architecture").(string)
	a, err := ForName(name, m.Tensors)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	json, err := a.configOf(m)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	c := &Config{root: strictjson.Clone(json).(*strictjson.Object), path: m.Path, model: m}
	if err := a.complete(c); err != nil {
		return nil, err
	}
	return &view{a, c, json}, nil
}

// has reports whether the model has a tensor of that name.
func has(m *formats.Model, name string) bool {
	return slices.ContainsFunc(m.Tensors, func(t *formats.Tensor) bool { return t.Name == name })
}
