package transform

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/arch"
	"github.com/loratool/loratool/transform/recipe"
)

// mergeGGUF merges into a GGUF model: into the checkpoint that it is seen as, in
// float32, and back. Tensors that change keep their number format, so quantized
// ones are quantized anew; all others are copied as they are.
func mergeGGUF(base *formats.Model, adapters []adapter.Weighted, o MergeOptions) (*formats.Model, *MergeReport, error) {
	if o.DType != formats.Invalid || o.Rounding != "" && o.Rounding != RoundSingle {
		return nil, nil, &formats.Error{Path: base.Path, Err: formats.Reasonf(formats.ErrUnsupported, "PEFT's roundings and a common number format are for checkpoints; this is GGUF")}
	}
	if o.GrowVocab {
		return nil, nil, &formats.Error{Path: base.Path, Err: formats.Reasonf(formats.ErrUnsupported, "the vocabulary of a GGUF model can't grow"),
			Hint: "convert it to a checkpoint, merge, and convert back"}
	}
	view, err := arch.NewView(base)
	if err != nil {
		return nil, nil, err
	}
	merged, report, err := Merge(view.Model, adapters, o)
	if err != nil {
		return nil, nil, err
	}
	out, keep, err := view.Back(merged)
	if err != nil {
		return nil, nil, err
	}
	for i, t := range out.Tensors {
		d, ok := keep[t.Name]
		if !ok {
			continue
		}
		if recipe.NeedsImatrix(t.Name, d, recipe.Copy) || d.IsQuantized() && formats.Quantizer(d) == nil {
			return nil, nil, &formats.Error{Path: base.Path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported,
				"the base has it as %v, which can't be made anew without an importance matrix", d),
				Hint: "merge into a model in F16 or BF16, and quantize the result"}
		}
		if out.Tensors[i], err = arch.Encode(t, d); err != nil {
			return nil, nil, err
		}
	}
	for i := range report.Tensors { // the view's F32 is nobody's format
		line := &report.Tensors[i]
		for _, name := range view.Names(line.Name) {
			if t := base.Tensor(name); t != nil {
				line.From = t.DType.String()
			}
			if d, ok := keep[name]; ok {
				line.To = d.String()
			}
		}
	}
	return out, report, nil
}
