package transform

import (
	"cmp"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/shrink"
)

// Rounding is the order of roundings of a merge.
type Rounding string

const (
	// RoundSingle sums the changes of all adapters in float32, adds the sum to the
	// base in float32, and rounds once to the output's number format. The order
	// of the adapters makes no difference.
	RoundSingle Rounding = "single"

	// RoundPEFT merges one adapter after another as PEFT does, with a rounding to
	// the base's number format after each. Changes of embeddings, fused experts
	// and attentions as a whole are themselves rounded before they are added. The
	// result is PEFT's bit for bit, but for a DoRA that follows another adapter on
	// the same layer: PEFT finds its norm by taking the other one out again, which
	// loses bits. Here it is the base's own.
	RoundPEFT Rounding = "peft"

	// RoundPEFTSafe is RoundPEFT with PEFT's safe_merge: every change of a LoRA is
	// rounded before it is added.
	RoundPEFTSafe Rounding = "peft-safe"
)

// MergeOptions say how to merge. The zero value is what most people want.
type MergeOptions struct {
	DType    formats.DType // format of floating-point tensors in the output; Invalid keeps each tensor's own
	Rounding Rounding      // RoundSingle if empty

	BaseIs         adapter.BaseIs // which base it is, for adapters whose initialisation changed it
	GrowVocab      bool           // take over an adapter's vocabulary of another size
	AllowUnmatched bool           // leave out tensors that have no place in the base, and report them
	AllowNonfinite bool           // let NaN and infinities pass
	AllowRepeat    bool           // merge an adapter that the base has merged already

	// Of a GGUF base, what changes keeps its number format: quantized tensors are
	// quantized anew, by their importance if there is an importance matrix.
	// DecodeChanged leaves them in float32 instead, for Quantize to follow.
	Imatrix       *imatrix.Matrix // may be nil
	DecodeChanged bool

	HeadersOnly bool   // read no tensor data: for a dry run. The output lacks the adapters' digests
	Version     string // of the program, for the output's metadata
}

// Merge returns the base with adapters merged into its weights:
//
//	W' = round( f32(W) + Σₐ strengthₐ·scaleₐ·(Bₐ·Aₐ) )
//
// Each product is accumulated in float32 by fused multiply-adds in the order of
// the rank index; see package adapter for the other kinds of changes. It reads
// headers, and the adapters once for their digests; all else happens when the
// model is written. The inputs must stay open until then.
//
// Of a base that [shrink.Dequantize] decodes, the exact values are added to; what it
// decoded becomes the format that its loaders compute with, unless o says another.
//
// Tensors that no adapter changes are copied as they are. config.json is brought
// up to date: tied embeddings, size of the vocabulary, number of layers, number
// format. The metadata says what was merged. Of a GGUF base each tensor keeps its
// own number format.
//
// It returns an error wrapping [formats.ErrMismatch] if an adapter does not
// belong to the base, and [formats.ErrUnsupported] for adapters that can't be
// merged; those about data (NaN, overflow) come from reading the result.
func Merge(base *formats.Model, adapters []adapter.Weighted, o MergeOptions) (*formats.Model, *MergeReport, error) {
	if len(adapters) == 0 {
		return nil, nil, formats.Reasonf(formats.ErrMismatch, "there is no adapter to merge")
	}
	if base.Format == "gguf" {
		return mergeGGUF(base, adapters, o)
	}
	o.Rounding = cmp.Or(o.Rounding, RoundSingle)
	merged, err := describeAdapters(adapters, o.HeadersOnly)
	if err != nil {
		return nil, nil, err
	}
	if err := checkRepeat(base, merged, &o); err != nil {
		return nil, nil, err
	}
	if o.Rounding == RoundSingle {
		adapters, merged = sortAdapters(adapters, merged)
	}
	plan, err := adapter.NewPlan(base, adapters, adapter.Options{BaseIs: o.BaseIs, GrowVocab: o.GrowVocab,
		AllowUnmatched: o.AllowUnmatched, AllowNonfinite: o.AllowNonfinite, HeadersOnly: o.HeadersOnly})
	if err != nil {
		return nil, nil, err
	}
	out := &formats.Model{Path: base.Path, Format: base.Format, Stem: base.Stem, Files: base.Files}
	out.Inputs = slices.Clone(base.Inputs)
	for _, a := range adapters {
		out.Inputs = append(out.Inputs, a.Weights.Inputs...)
	}
	out.Metadata = provenance(base, merged, &o)
	for _, t := range plan.Targets {
		out.Tensors = append(out.Tensors, mergedTensor(t, &o))
	}
	if plan.Config != nil && len(plan.Changes) > 0 {
		out.Files = hf.WithConfig(out.Files, plan.Config)
	}
	if plan.Tokenizer >= 0 {
		out.Files = withFiles(out.Files, adapters[plan.Tokenizer].Files)
	}
	report := newMergeReport(base, plan, merged, &o)
	if o.DType == formats.Invalid {
		out = shrink.Round(out)
	} else {
		if out, _, err = Cast(out, o.DType); err != nil { // of what the merge did not touch
			return nil, nil, err
		}
	}
	return out, report, nil
}

// mergedTensor returns the tensor that a target describes.
func mergedTensor(t *adapter.Target, o *MergeOptions) *formats.Tensor {
	if !t.Touched() {
		return t.Base
	}
	info := t.Info
	switch d := shrink.ComputeDType(t.Base); {
	case o.DType != formats.Invalid && info.DType.IsFloat():
		info.DType = o.DType
	case o.DType == formats.Invalid && d != formats.Invalid:
		info.DType = d
	}
	if len(t.Ops) == 0 && t.SourceOf < 0 && info.DType == t.Source.DType {
		return &formats.Tensor{Info: info, Rows: t.Source.Rows} // the base's under another name
	}
	return &formats.Tensor{Info: info, Rows: &mergedRows{t, info.DType, o.Rounding, o.AllowNonfinite}}
}

// withFiles returns files with others added or put in the place of those of the
// same name.
func withFiles(files, others []formats.Asset) []formats.Asset {
	out := slices.Clone(files)
	for _, f := range others {
		if i := slices.IndexFunc(out, func(a formats.Asset) bool { return a.Name == f.Name }); i >= 0 {
			out[i] = f
		} else {
			out = append(out, f)
		}
	}
	return out
}
