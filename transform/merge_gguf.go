package transform

import (
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/arch"
	"github.com/loratool/loratool/transform/recipe"
)

// mergeGGUF merges into a GGUF model: into the checkpoint that it is seen as, in
// float32, and back. Tensors that change keep their number format, so quantized
// ones are quantized anew, unless o leaves them in float32; all others are copied
// as they are.
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
		if !ok || o.DecodeChanged && d.IsQuantized() {
			continue
		}
		if out.Tensors[i], err = encodeAs(t, d, o.Imatrix); err != nil {
			return nil, nil, inFile(base.Path, err)
		}
	}
	if o.Imatrix != nil {
		out.Inputs = append(slices.Clip(out.Inputs), o.Imatrix.File())
	}
	for i := range report.Tensors { // the view's F32 is nobody's format
		line := &report.Tensors[i]
		for _, name := range view.Names(line.Name) {
			if t := base.Tensor(name); t != nil {
				line.From = t.DType.String()
			}
			if d, ok := keep[name]; ok {
				line.To = d.String()
				if o.DecodeChanged && d.IsQuantized() {
					line.To = formats.F32.String()
				}
			}
		}
	}
	return out, report, nil
}

// encodeAs returns a tensor of float32 in the format d that the base has it in, by
// its importance where that is known and d asks for it.
func encodeAs(t *formats.Tensor, d formats.DType, importance *imatrix.Matrix) (*formats.Tensor, error) {
	if !d.IsQuantized() {
		return arch.Encode(t, d)
	}
	var entry *imatrix.Entry
	if importance != nil {
		entry = importance.Entry(t.Name)
	}
	switch {
	case formats.Quantizer(d) == nil && formats.Encoder(d) == nil:
		return nil, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported, "the base has it as %v, which can't be made anew", d),
			Hint: "--type Q4_K_M --allow-requantize gives the merged model other formats"}
	case entry == nil && recipe.NeedsImatrix(t.Name, d, recipe.Copy):
		return nil, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported,
			"the base has it as %v, which can't be made anew without the importance of its inputs", d),
			Hint: "give the matrix that the base was made with as --imatrix, or other formats with --type Q4_K_M --allow-requantize"}
	}
	line := &QuantizedTensor{Info: t.Info, From: t.DType, Source: t}
	line.DType = d
	rows, err := quantizedRows(line, entry, &QuantizeOptions{})
	if err != nil {
		return nil, t.Error(err)
	}
	return &formats.Tensor{Info: line.Info, Rows: rows}, nil
}
