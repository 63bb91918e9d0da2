package shrink

import (
	"regexp"
	"slices"

	"github.com/loratool/loratool/formats"
)

// Options say how to quantize. The zero value is what most people want.
type Options struct {
	GroupSize int              // weights that share a scale; 0 for what is usual
	Skip      []*regexp.Regexp // modules to leave as they are
	Modules   []Override       // modules of another type; the first that matches counts
	Search    bool             // for the scales with the least error, where loaders can't tell
}

// An Override gives modules a type of their own.
type Override struct {
	Pattern *regexp.Regexp
	Type    Type
}

// check returns an error if the options do not fit the type, or the model any type.
func (p *plan) check() error {
	m, o := p.model, p.o
	if p.config == nil {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it has no config.json, which has to say how the weights are quantized"),
			Hint: "give the checkpoint's folder"}
	}
	if p.config.Has("quantization_config") || p.config.Has("quantization") {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "the checkpoint is quantized already")}
	}
	switch p.config.String("model_type") {
	case "gpt2", "openai-gpt", "imagegpt":
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "its linear layers are stored turned round (Conv1D), which loaders of quantized weights do not expect")}
	}
	if p.info.family == gptOss && len(o.Modules) > 0 {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrMismatch, "the experts of gpt-oss are in MXFP4 or as they were, not of other types"), Hint: "--skip leaves experts as they are"}
	}
	types := []TypeInfo{p.info}
	for _, v := range o.Modules {
		t := v.Type.info()
		if t.family != p.info.family {
			return formats.Reasonf(formats.ErrMismatch, "%s and %s can't be in one checkpoint: no loader takes both", p.info.Type, v.Type)
		}
		if t.family == bitsandbytes && t.Type != p.info.Type {
			return formats.Reasonf(formats.ErrMismatch, "bitsandbytes loads one type a checkpoint: %s or %s", p.info.Type, v.Type)
		}
		types = append(types, t)
	}
	searches := slices.ContainsFunc(types, func(t TypeInfo) bool { return t.Search })
	if o.Search && !searches {
		return formats.Reasonf(formats.ErrMismatch, "there is no search for %s: its scales follow from the weights", p.info.Type)
	}
	if o.GroupSize != 0 && !slices.ContainsFunc(types, func(t TypeInfo) bool { return slices.Contains(t.Groups, o.GroupSize) }) {
		if p.info.Groups == nil {
			return formats.Reasonf(formats.ErrMismatch, "the groups of %s are of one size", p.info.Type)
		}
		return formats.Reasonf(formats.ErrMismatch, "the groups of %s can't be of %d weights, but of one of %v", p.info.Type, o.GroupSize, p.info.Groups)
	}
	return nil
}
