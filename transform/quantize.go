package transform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform/recipe"
)

// QuantizeOptions say how to quantize. The zero value is the file type F32.
type QuantizeOptions struct {
	Recipe          recipe.Options
	Imatrix         *imatrix.Matrix    // importance of inputs; may be nil
	AllowRequantize bool               // tensors that are quantized already may be quantized again
	PruneLayers     []int              // blocks to leave out; those after them move up
	Metadata        []formats.KeyValue // to set in the result
	KeepOrder       bool               // of the tensors; otherwise they are sorted by block and name
	Measure         bool               // compare what is written with what was read
	Choices         []formats.DType    // of [FitSize]: what each tensor becomes, instead of what the recipe says
}

// A QuantizeReport says what becomes of each tensor. What was measured is
// complete once the model has been written.
type QuantizeReport struct {
	Tensors []*QuantizedTensor
}

// A QuantizedTensor is a line of a [QuantizeReport].
type QuantizedTensor struct {
	formats.Info                 // of the result
	From         formats.DType   // equal to DType if the tensor is copied
	Fallback     formats.DType   // what it would be if its rows filled whole blocks; Invalid if it is that
	Weighted     bool            // by the importance matrix
	Source       *formats.Tensor // what it is made of

	errors *errorSums // nil if nothing is measured
}

// Quantize returns the model with its tensors in the formats that a recipe
// chooses. Tensors that stay as they are keep their bytes, but are looked
// through: NaNs, infinities, and numbers that become infinite are errors that
// name tensor and element, when the model is written, except under the recipe
// Copy. The metadata say what was done, in the way of llama-quantize:
// general.file_type, general.quantization_version and, with an importance matrix,
// quantize.imatrix.*.
//
// The bytes are those of llama-quantize for x86-64.
//
// It returns an error wrapping [formats.ErrUnsupported] if a tensor is quantized
// already and must not be again, and one wrapping [formats.ErrMismatch] if a
// format needs an importance matrix, or the matrix does not fit.
func Quantize(m *formats.Model, o QuantizeOptions) (*formats.Model, *QuantizeReport, error) {
	p, err := planQuantize(m, &o)
	if err != nil {
		return nil, nil, err
	}
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Files: m.Files, Inputs: m.Inputs}
	report := &QuantizeReport{}
	for i, t := range p.tensors {
		line := &QuantizedTensor{Info: t.Info, From: t.DType, Fallback: p.choices[i].Fallback, Source: t}
		line.DType = p.choices[i].DType
		line.Shape = trimShape(t.Shape)
		rows, err := quantizedRows(line, p.importance(i), &o)
		if err != nil {
			return nil, nil, inFile(m.Path, t.Error(err))
		}
		out.Tensors = append(out.Tensors, &formats.Tensor{Info: line.Info, Rows: rows})
		report.Tensors = append(report.Tensors, line)
	}
	out.Metadata = quantizedMetadata(m, &o)
	if o.Imatrix != nil {
		out.Inputs = append(slices.Clip(out.Inputs), o.Imatrix.File())
	}
	return out, report, nil
}

// A quantizePlan is what becomes of the tensors of a model.
type quantizePlan struct {
	tensors  []*formats.Tensor // those that stay, in order
	choices  []recipe.Choice
	original map[string]string // names, by new names
	imatrix  *imatrix.Matrix
}

func planQuantize(m *formats.Model, o *QuantizeOptions) (*quantizePlan, error) {
	p := &quantizePlan{imatrix: o.Imatrix}
	if len(o.PruneLayers) > 0 {
		var err error
		if m, p.original, err = pruneLayers(m, o.PruneLayers); err != nil {
			return nil, err
		}
	}
	p.tensors = slices.Clone(m.Tensors)
	if !o.KeepOrder {
		slices.SortStableFunc(p.tensors, func(a, b *formats.Tensor) int { return recipe.Compare(a.Name, b.Name) })
	}
	infos := make([]formats.Info, len(p.tensors))
	for i, t := range p.tensors {
		infos[i] = t.Info
	}
	r := o.Recipe
	r.HasImatrix = o.Imatrix != nil
	var err error
	p.choices, err = recipe.Choose(infos, recipe.ArchitectureOf(setAll(m.Metadata, o.Metadata), infos), r)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	for i, d := range o.Choices {
		if !p.choices[i].Kept {
			p.choices[i] = recipe.Choice{DType: d}
		}
	}
	return p, nil
}

// importance returns the importance matrix's entry for the i-th tensor, or nil.
func (p *quantizePlan) importance(i int) *imatrix.Entry {
	if p.imatrix == nil {
		return nil
	}
	name := p.tensors[i].Name
	return p.imatrix.Entry(cmp.Or(p.original[name], name))
}

// inFile returns err with the path of the file it is about, if it has none.
func inFile(path string, err error) error {
	if e, ok := err.(*formats.Error); ok && e.Path == "" {
		e.Path = path
	}
	return err
}

// trimShape returns the shape without outer dimensions of length 1, as ggml
// counts dimensions; one dimension stays.
func trimShape(shape []int) []int {
	for len(shape) > 1 && shape[0] == 1 {
		shape = shape[1:]
	}
	return shape
}

// The formats of metadata that change with the tensors.
const (
	fileTypeKey            = "general.file_type"
	quantizationVersionKey = "general.quantization_version"
	quantizationVersion    = 2
)

// quantizedMetadata returns the metadata of the result, in llama-quantize's order:
// what is set goes to the end.
func quantizedMetadata(m *formats.Model, o *QuantizeOptions) formats.Metadata {
	var set []formats.KeyValue
	add := func(key string, value any) { set = append(set, formats.KeyValue{Key: key, Value: value}) }
	add(quantizationVersionKey, uint32(quantizationVersion))
	if o.Recipe.FType != recipe.Copy {
		add(fileTypeKey, uint32(o.Recipe.FType))
	} else if v := m.Metadata.Get(fileTypeKey); v != nil {
		add(fileTypeKey, v)
	}
	set = append(set, o.Metadata...)
	if x := o.Imatrix; x != nil {
		add("quantize.imatrix.file", shorten(x.Path))
		if len(x.Datasets) > 0 {
			add("quantize.imatrix.dataset", shorten(x.Datasets[0]))
		}
		add("quantize.imatrix.entries_count", uint32(x.Len()))
		if x.Chunks > 0 {
			add("quantize.imatrix.chunks_count", uint32(x.Chunks))
		}
	}
	metadata := m.Metadata
	if len(o.PruneLayers) > 0 {
		name, _ := metadata.Get("general.architecture").(string)
		add(name+".block_count", uint32(recipe.ArchitectureOf(metadata, nil).Layers-len(o.PruneLayers)))
	}
	return setAll(metadata, set)
}

// setAll returns metadata with the entries at the end, and in no other place.
func setAll(metadata formats.Metadata, entries []formats.KeyValue) formats.Metadata {
	for _, kv := range entries {
		metadata = append(metadata.Without(kv.Key), kv)
	}
	return metadata
}

// shorten cuts a text to the 127 bytes that llama-quantize writes of it.
func shorten(s string) string { return s[:min(len(s), 127)] }

// pruneLayers returns the model without some blocks, the others numbered anew, and
// what tensors that have a new name were called.
func pruneLayers(m *formats.Model, prune []int) (*formats.Model, map[string]string, error) {
	layers := recipe.ArchitectureOf(m.Metadata, nil).Layers
	kept := make([]int, layers) // new number by old
	n := 0
	for i := range kept {
		if kept[i] = n; slices.Contains(prune, i) {
			kept[i] = -1
		} else {
			n++
		}
	}
	seen := map[int]bool{}
	for _, p := range prune {
		if p < 0 || p >= layers || seen[p] {
			return nil, nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrMismatch,
				"there is no layer %d to leave out of its %d, or it is named twice", p, layers)}
		}
		seen[p] = true
	}
	original := map[string]string{}
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Metadata: m.Metadata, Files: m.Files, Inputs: m.Inputs}
	for _, t := range m.Tensors {
		layer := recipe.Layer(t.Name)
		if layer < 0 || layer >= layers {
			out.Tensors = append(out.Tensors, t)
			continue
		}
		if kept[layer] < 0 {
			continue
		}
		c := *t
		c.Name = fmt.Sprintf("blk.%d%s", kept[layer], strings.TrimPrefix(t.Name, fmt.Sprintf("blk.%d", layer)))
		original[c.Name] = t.Name
		out.Tensors = append(out.Tensors, &c)
	}
	return out, original, nil
}
