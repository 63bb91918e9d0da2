package arch

import (
	"context"
	"regexp"
	"strings"

	"github.com/loratool/loratool/formats"
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

// encoded are a tensor's rows in another number format, by way of float32.
type encoded struct {
	from *formats.Tensor
	to   formats.DType
}

// encode returns the tensor in the given number format.
func encode(t *formats.Tensor, d formats.DType) (*formats.Tensor, error) {
	if t.DType == d {
		return t, nil
	}
	if formats.Decoder(t.DType) == nil || !t.DType.IsFloat() {
		return nil, t.Error(formats.Reasonf(formats.ErrUnsupported, "%v can't become %v", t.DType, d))
	}
	info := t.Info
	info.DType = d
	return &formats.Tensor{Info: info, Rows: &encoded{t, d}}, nil
}

func (e *encoded) Scratch(n int) int64 {
	return 4*int64(n)*int64(e.from.NumCols()) + e.from.FloatScratch(n)
}

func (e *encoded) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := formats.BorrowFloats((hi - lo) * e.from.NumCols())
	defer formats.ReturnFloats(x)
	if err := e.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	if e.to.IsQuantized() {
		formats.Quantizer(e.to)(dst, x, e.from.NumCols(), nil)
	} else {
		formats.Encoder(e.to)(dst, x)
	}
	return nil
}

// Options say how [ToGGUF] converts.
type Options struct {
	Type Type
	Pre  string // name of the pre-tokenizer, where the table does not know it
}

// ToGGUF returns a Hugging Face checkpoint as a GGUF model: tensors under their
// GGUF names, in their row order and number formats, and key-values from the
// configuration, the model card and the tokenizer. It returns an error wrapping
// [formats.ErrUnsupported] if there is no table for the model's class, or a tensor
// has no place in it.
func ToGGUF(m *formats.Model, o Options) (*formats.Model, error) {
	c, err := readConfig(m)
	if err != nil {
		return nil, err
	}
	a, err := ForClass(c.class())
	if err != nil {
		return nil, &formats.Error{Path: m.Path, Err: err, Hint: "give a GGUF file of the same family as --template"}
	}
	if err := a.complete(c); err != nil {
		return nil, err
	}
	early, own := &keyValues{arch: a.Name}, &keyValues{arch: a.Name}
	tensors, err := a.tensorsToGGUF(c, early, m.Tensors)
	if err != nil {
		return nil, err
	}
	t := o.Type.resolve(m.Tensors)
	file := types[t].file
	for i, x := range tensors {
		if x.DType == formats.MXFP4 {
			file = fileMXFP4
		}
		if tensors[i], err = encode(x, t.format(x)); err != nil {
			return nil, err
		}
	}
	if err := a.keyValues(c, own); err != nil {
		return nil, err
	}
	own.set("general.file_type", file)
	kv := formats.Metadata{{Key: "general.architecture", Value: a.Name}}
	kv = append(kv, early.list...)
	kv = append(kv, formats.KeyValue{Key: "general.type", Value: "model"})
	names, err := generalKeys(c, tensors)
	if err != nil {
		return nil, err
	}
	kv = append(kv, names...)
	kv = append(kv, own.list...)
	kv = append(kv, formats.KeyValue{Key: "general.quantization_version", Value: uint32(2)})
	words, err := a.tokenizerKeys(c, o.Pre)
	if err != nil {
		return nil, err
	}
	kv = append(kv, words...)
	return &formats.Model{Path: m.Path, Format: "gguf", Tensors: tensors, Metadata: kv, Inputs: m.Inputs}, nil
}

// tokenizerKeys returns the tokenizer's key-values.
func (a *Architecture) tokenizerKeys(c *Config, pre string) (formats.Metadata, error) {
	size, _ := c.int("vocab_size")
	list, err := tokenizer.ToGGUF(c.model, c.root, tokenizer.Options{Family: a.family, Size: size, Pre: pre})
	if err != nil || a.finish == nil {
		return list, err
	}
	kv := &keyValues{arch: a.Name, list: list}
	a.finish(c, kv)
	return kv.list, nil
}
