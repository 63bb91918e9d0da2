package arch

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// A Type is the number format that a conversion aims at. As in llama.cpp's
// converter, vectors, norms and a few more tensors are F32 in any case.
type Type int

// The types of llama.cpp's converter. Auto is BF16 for a checkpoint in BF16, and
// F16 for any other.
const (
	Auto Type = iota
	F32
	F16
	BF16
	Q8_0
)

// types says of each type its number format and its number in general.file_type.
var types = [...]struct {
	dtype formats.DType
	file  uint32
}{F32: {formats.F32, 0}, F16: {formats.F16, 1}, BF16: {formats.BF16, 32}, Q8_0: {formats.Q8_0, 7}}

// ParseType returns the type of the given name, in any case: auto, f32, f16, bf16,
// q8_0.
func ParseType(name string) (Type, error) {
	for t, word := range [...]string{Auto: "auto", F32: "f32", F16: "f16", BF16: "bf16", Q8_0: "q8_0"} {
		if strings.EqualFold(name, word) {
			return Type(t), nil
		}
	}
	return 0, fmt.Errorf("%q is none of auto, f32, f16, bf16 and q8_0", name)
}

// fileMXFP4 is the file type of models whose experts are MXFP4.
const fileMXFP4 = 38

// resolve returns what Auto means: by the first matrix of the checkpoint.
func (t Type) resolve(tensors []*formats.Tensor) Type {
	if t != Auto {
		return t
	}
	for _, x := range tensors {
		if len(x.Shape) >= 2 {
			if x.DType == formats.BF16 {
				return BF16
			}
			break
		}
	}
	return F16
}

// alwaysF32 are matrices that are small, or that llama.cpp computes with in F32.
var alwaysF32 = regexp.MustCompile(`^(blk\.\d+\.(ffn_gate_inp|ffn_gate_inp_shexp)|position_embd|token_types)\.weight$|_norm\.weight$`)

// format returns the number format of a tensor in the output.
func (t Type) format(x *formats.Tensor) formats.DType {
	switch {
	case x.DType == formats.MXFP4:
		return x.DType
	case len(x.Shape) <= 1 || alwaysF32.MatchString(x.Name) || !strings.HasSuffix(x.Name, ".weight"):
		return formats.F32
	case x.NumCols()%types[t].dtype.BlockLen() != 0:
		return formats.F16
	}
	return types[t].dtype
}

// encode returns the tensor in the given number format.
func encode(t *formats.Tensor, d formats.DType) (*formats.Tensor, error) {
	if t.DType == d {
		return t, nil
	}
	if formats.Decoder(t.DType) == nil || !t.DType.IsFloat() && !t.DType.IsQuantized() {
		return nil, t.Error(formats.Reasonf(formats.ErrUnsupported, "%v can't become %v", t.DType, d))
	}
	return formats.Encoded(t, d), nil
}

// Options say how [ToGGUF] converts.
type Options struct {
	Type Type
	Pre  string // name of the pre-tokenizer, where the table does not know it

	// Override is what the general.* key-values say in place of the model card and
	// the names: an object of llama.cpp's --metadata, by key. May be nil.
	Override *strictjson.Object

	// Template is a GGUF model of the same family, which the key-values and the
	// tokenizer are taken from; the class need not be known then. May be nil.
	Template *formats.Model
}

// ToGGUF returns a Hugging Face checkpoint as a GGUF model: tensors under their
// GGUF names, in their row order and number formats, and key-values from the
// configuration, the model card and the tokenizer. It returns an error wrapping
// [formats.ErrUnsupported] if there is no table for the model's class, the
// checkpoint is quantized, or a tensor has no place in the table.
func ToGGUF(m *formats.Model, o Options) (*formats.Model, error) {
	c, err := readConfig(m)
	if err != nil {
		return nil, err
	}
	a, err := architectureOf(c, o.Template)
	if err != nil {
		return nil, err
	}
	if err := a.complete(c); err != nil {
		return nil, err
	}
	early := &keyValues{arch: a.Name}
	tensors, err := a.tensorsToGGUF(c, early, m.Tensors)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	file, err := o.Type.resolve(m.Tensors).encodeAll(tensors)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	names, err := generalKeys(c, tensors, o.Override)
	if err != nil {
		return nil, err
	}
	out := &formats.Model{Path: m.Path, Format: "gguf", Tensors: tensors, Inputs: m.Inputs}
	if o.Template != nil {
		out.Metadata, err = templateKeys(a, names, file, o.Template, tensors)
	} else {
		out.Metadata, err = a.allKeys(c, early.list, names, file, o.Pre)
	}
	return out, err
}

// architectureOf returns the architecture of a checkpoint: by its class, or that
// of the template. It refuses checkpoints that are quantized in a way that the
// architecture does not know.
func architectureOf(c *Config, template *formats.Model) (a *Architecture, err error) {
	if template != nil {
		name, _ := template.Metadata.Get("general.architecture").(string)
		if a, err = ForName(name, template.Tensors); err != nil {
			return nil, &formats.Error{Path: template.Path, Err: err}
		}
	} else if a, err = ForClass(c.class()); err != nil {
		return nil, &formats.Error{Path: c.path, Err: err, Hint: "if it is one of these under another name, give a GGUF file of its family as --template"}
	}
	q, _ := c.get("quantization_config").(*strictjson.Object)
	if q != nil && q.String("quant_method") != a.quantMethod {
		return nil, &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrUnsupported,
			"the checkpoint is quantized (quant_method %q), and its numbers mean nothing without their scales", q.String("quant_method")),
			Hint: "convert the checkpoint that it was made of"}
	}
	return a, nil
}

// KeepsCodes reports whether the checkpoint is quantized in a way that GGUF has too,
// so that its numbers are not to be decoded: MXFP4 of gpt-oss.
func KeepsCodes(m *formats.Model) bool {
	c, err := readConfig(m)
	if err != nil {
		return false
	}
	q, _ := c.get("quantization_config").(*strictjson.Object)
	a, err := ForClass(c.class())
	return err == nil && q != nil && q.String("quant_method") == a.quantMethod
}

// encodeAll brings the tensors into the number formats of the type, and returns
// the number of general.file_type.
func (t Type) encodeAll(tensors []*formats.Tensor) (file uint32, err error) {
	file = types[t].file
	for i, x := range tensors {
		if x.DType == formats.MXFP4 && t != Q8_0 {
			file = fileMXFP4
		}
		if tensors[i], err = encode(x, t.format(x)); err != nil {
			return 0, err
		}
	}
	return file, nil
}

// allKeys returns the key-values in llama.cpp's order. early are those that come
// with computed tensors, names the general ones.
func (a *Architecture) allKeys(c *Config, early, names formats.Metadata, file uint32, pre string) (formats.Metadata, error) {
	own := &keyValues{arch: a.Name}
	if err := a.keyValues(c, own); err != nil {
		return nil, err
	}
	if own.list.Get(fileTypeKey) != nil { // a few families have none
		own.set(fileTypeKey, file)
	}
	words, err := a.tokenizerKeys(c, pre)
	if err != nil {
		return nil, err
	}
	kv := append(formats.Metadata{{Key: "general.architecture", Value: a.Name}}, early...)
	kv = append(kv, formats.KeyValue{Key: "general.type", Value: "model"})
	kv = append(kv, names...)
	kv = append(kv, own.list...)
	kv = append(kv, formats.KeyValue{Key: quantizationVersionKey, Value: uint32(quantizationVersion)})
	return append(kv, words...), nil
}

// Keys that follow from the tensors' number formats.
const (
	fileTypeKey            = "general.file_type"
	quantizationVersionKey = "general.quantization_version"
	quantizationVersion    = 2
)

// tokenizerKeys returns the tokenizer's key-values.
func (a *Architecture) tokenizerKeys(c *Config, pre string) (formats.Metadata, error) {
	size, _ := c.int("vocab_size")
	list, err := tokenizer.ToGGUF(c.model, c.root, tokenizer.Options{Family: a.family, Size: size, Pre: pre, Names: a.pre})
	if err != nil || a.finish == nil {
		return list, err
	}
	kv := &keyValues{arch: a.Name, list: list}
	a.finish(c, kv)
	return kv.list, nil
}

// inFile returns err as an error about the file or folder, if it is about none.
func inFile(path string, err error) error {
	if e, ok := err.(*formats.Error); ok {
		if e.Path == "" {
			e.Path = path
		}
		return e
	}
	return &formats.Error{Path: path, Err: err}
}
