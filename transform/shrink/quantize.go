package shrink

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
)

// Quantize returns the model with its linear layers quantized, and for MLX its
// embeddings, in the layout of the type's loaders, with the block in config.json that
// they go by. All else stays as it is. Nothing is computed before it is read; what takes
// all of a matrix (a mean, a peak) is found once.
//
// It returns an error wrapping [formats.ErrUnsupported] if the type's loader could not
// load the result, and [formats.ErrMismatch] for options that do not go together.
func Quantize(m *formats.Model, typ Type, o Options) (*formats.Model, *Report, error) {
	p, err := newPlan(m, typ, &o)
	if err != nil {
		return nil, nil, err
	}
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Inputs: m.Inputs,
		Metadata: m.Metadata.Without("format").With("format", "pt").With("loratool.quantized", string(typ))}
	if p.info.family == mlx {
		out.Metadata = out.Metadata.With("format", "mlx")
	}
	byName := map[string]*Matrix{}
	for _, x := range p.report.Matrices {
		byName[x.Name] = x
	}
	var experts expertStacks
	for _, t := range m.Tensors {
		x := byName[t.Name]
		switch {
		case p.dropped(t.Name):
		case p.info.family == mlx && experts.take(t, x):
		case x != nil && x.Type != "":
			out.Tensors = append(out.Tensors, p.encode(x)...)
		default:
			if x != nil {
				x.Bytes = t.NumBytes()
			}
			out.Tensors = append(out.Tensors, t)
		}
	}
	stacks, err := p.stacked(&experts)
	if err != nil {
		return nil, nil, err
	}
	out.Tensors = append(out.Tensors, stacks...)
	out.Files = hf.WithConfig(m.Files, p.configured())
	return out, p.report, nil
}

// encode returns the tensors that stand for a matrix.
func (p *plan) encode(x *Matrix) []*formats.Tensor {
	made := p.encodeAs(x.Type, x.module, weights{x.source})
	x.Bytes = numBytes(made)
	return made
}

// encodeAs returns the tensors of a module in a type.
func (p *plan) encodeAs(typ Type, module string, w weights) []*formats.Tensor {
	search := p.o.Search
	switch typ {
	case NF4:
		return encodeNF4(module+".weight", w, p.half)
	case NF4DQ:
		return encodeDoubleNF4(module+".weight", w, p.half)
	case Int8:
		return encodeInt8(module, w)
	case MLX4:
		return encodeMLX(module, w, 4, p.group(typ), p.half)
	case MLX8:
		return encodeMLX(module, w, 8, p.group(typ), p.half)
	case W4A16:
		return encodeW4A16(module, w, p.group(typ), p.half, search)
	case FP8:
		return encodeFP8(module, w, p.half)
	case FP8Block:
		return encodeBlockFP8(module, w)
	case NVFP4:
		return encodeNVFP4(module, w, p.peakOf(module), search)
	case MXFP4:
		if p.info.family == gptOss {
			return encodeGptOss(w, search)
		}
		return encodeMXFP4(module, w, search)
	}
	panic("shrink: no encoder of " + string(typ))
}

func numBytes(tensors []*formats.Tensor) (n int64) {
	for _, t := range tensors {
		n += t.NumBytes()
	}
	return n
}
