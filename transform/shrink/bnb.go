package shrink

import (
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// bitsandbytes keeps a matrix P.weight of shape [N, K] in 4 bits as
//
//	P.weight                  U8 [N·K/2, 1]: codes of all elements in order, the first in the high half
//	P.weight.absmax           F32 [⌈N·K/64⌉]: the greatest magnitude of each 64 elements, across rows
//	P.weight.quant_map        F32 [16]: what the codes mean
//	P.weight.quant_state.bitsandbytes__nf4 (or __fp4)  U8: JSON with shape and block sizes
//
// With double quantization absmax is quantized itself, to U8:
//
//	absmax[i] = nested_quant_map[code[i]] · nested_absmax[i/256] + nested_offset
//	P.weight.nested_absmax    F32 [⌈blocks/256⌉]
//	P.weight.nested_quant_map F32 [256]
//
// In 8 bits it is
//
//	P.weight         I8 [N, K]
//	P.SCB            F32 [N]: the greatest magnitude of each row; w = code · SCB / 127
//	P.weight_format  U8: 0
const (
	bnbBlock       = 64
	bnbNestedBlock = 256
	bnbState       = ".quant_state.bitsandbytes__"
)

func readBitsandbytes(r *reader) error {
	r.source.Scheme = "bitsandbytes LLM.int8"
	for _, t := range r.model.Tensors {
		var err error
		if name, kind, ok := strings.Cut(t.Name, bnbState); ok {
			err = r.readBnb4(t, name, kind)
		} else if p, ok := strings.CutSuffix(t.Name, ".SCB"); ok {
			err = r.readBnb8(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readBnb4 reads the state of the 4-bit matrix of the given name.
func (r *reader) readBnb4(state *formats.Tensor, name, kind string) error {
	if kind != "nf4" && kind != "fp4" {
		return &formats.Error{Tensor: state.Name, Err: formats.Reasonf(formats.ErrUnsupported, "4-bit numbers of the kind %q", kind)}
	}
	r.taken[state.Name] = true
	o, err := readState(state)
	if err != nil {
		return err
	}
	shape, n, err := stateShape(o, state.Name)
	if err != nil {
		return err
	}
	block, ok := o.Int("blocksize")
	if !ok || block < 1 || block > 1<<20 {
		return invalid(state.Name, "its block size is %v", o.Get("blocksize"))
	}
	codes := r.tensor(name)
	if codes == nil {
		return invalid(name, "it is missing; there is only its quantization state")
	}
	// Storage of other number formats is the same bytes.
	if codes.NumBytes() != int64(n+1)/2 {
		return invalid(name, "%v is no room for the codes of %v, which its state says it is", &codes.Info, shape)
	}
	b := &bnb4{computing: computing(r.source.DType), cols: shape[len(shape)-1], elements: n, block: int(block), codes: codes}
	if err := b.readScales(r, name, o); err != nil {
		return err
	}
	table, err := r.state(name+".quant_map", 16, formats.F32)
	if err != nil {
		return err
	}
	values, err := readAll(table)
	if err != nil {
		return err
	}
	b.table = [16]float32(values)
	r.source.Scheme = "bitsandbytes " + strings.ToUpper(kind)
	if b.nested != nil {
		r.source.Scheme += ", double quantization"
	}
	r.replace(codes, name, shape, b)
	return nil
}

// readState parses the JSON in a tensor of bytes.
func readState(t *formats.Tensor) (*strictjson.Object, error) {
	const most = 1 << 16
	if t.DType != formats.U8 || t.NumBytes() > most {
		return nil, invalid(t.Name, "%v is no quantization state", &t.Info)
	}
	data := make([]byte, t.NumBytes())
	if err := t.ReadRows(background, data, 0, t.NumRows()); err != nil {
		return nil, err
	}
	o, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, invalid(t.Name, "it is not the JSON of a quantization state: %v", err)
	}
	return o, nil
}

// stateShape returns the shape that a quantization state names, and its elements.
func stateShape(o *strictjson.Object, name string) (shape []int, elements int, err error) {
	list := o.Array("shape")
	for _, v := range list {
		n, _ := v.(strictjson.Number)
		d, ok := n.Int()
		if !ok || d < 1 || d > 1<<40 {
			return nil, 0, invalid(name, "its shape is %v", list)
		}
		shape = append(shape, int(d))
	}
	size, err := formats.CheckSize(formats.U8, shape)
	if err != nil || len(shape) == 0 {
		return nil, 0, invalid(name, "its shape is %v", list)
	}
	return shape, int(size), nil
}

// readScales reads what scales the blocks of a 4-bit matrix.
func (b *bnb4) readScales(r *reader, name string, o *strictjson.Object) (err error) {
	blocks := (b.elements + b.block - 1) / b.block
	am := r.tensor(name + ".absmax")
	switch {
	case am == nil:
		return invalid(name+".absmax", "it is missing beside the codes")
	case am.DType == formats.BF16 || len(am.Shape) > 1:
		return &formats.Error{Tensor: am.Name, Err: formats.Reasonf(formats.ErrFormat,
			"%v is not how a checkpoint has its scales: it was saved after the model had run on a CPU, which repacks them, and its weights are in another order", &am.Info),
			Hint: "quantize the original again; bitsandbytes of that version must save before the first forward pass"}
	case am.NumElements() != blocks || am.DType != formats.F32 && am.DType != formats.U8:
		return invalid(am.Name, "%v does not fit %d elements in blocks of %d", &am.Info, b.elements, b.block)
	}
	b.absmax = am
	if am.DType == formats.F32 {
		return nil
	}
	n := &bnbNested{}
	block, ok := o.Int("nested_blocksize")
	offset, ok2 := o.Float("nested_offset")
	if !ok || !ok2 || block < 1 || block > 1<<20 {
		return invalid(name, "its quantization state does not say how its scales are quantized")
	}
	n.block, n.offset = int(block), float32(offset)
	table, err := r.state(name+".nested_quant_map", 256, formats.F32)
	if err != nil {
		return err
	}
	if n.table, err = readAll(table); err != nil {
		return err
	}
	if n.absmax, err = r.state(name+".nested_absmax", (blocks+n.block-1)/n.block, formats.F32); err != nil {
		return err
	}
	b.nested = n
	return nil
}

// readBnb8 reads an 8-bit matrix.
func (r *reader) readBnb8(p string) error {
	codes := r.tensor(p + ".weight")
	if codes == nil || codes.DType != formats.I8 || len(codes.Shape) != 2 {
		return invalid(p+".SCB", "it is the scale of 8-bit codes, but %s.weight is none", p)
	}
	n, k := codes.Shape[0], codes.Shape[1]
	scales, err := r.state(p+".SCB", n, formats.F32)
	if err != nil {
		return err
	}
	if f := r.tensor(p + ".weight_format"); f != nil {
		if v, err := readAll(f); err != nil || len(v) != 1 || v[0] != 0 {
			return &formats.Error{Tensor: f.Name, Err: formats.Reasonf(formats.ErrUnsupported, "the codes are in an order for one kind of GPU, not row by row")}
		}
	}
	const reciprocal = 7.874015718698502e-3 // of 127, as bitsandbytes has it
	r.replace(codes, codes.Name, codes.Shape, &grouped{computing: computing(r.source.DType), rows: n, cols: k, codes: codes, bits: 8,
		unpack: unpackI8, scales: scales, scale: kernels.DecodeF32, group: k, tall: 1, after: reciprocal})
	return nil
}
