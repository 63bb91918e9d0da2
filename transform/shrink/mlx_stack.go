package shrink

import (
	"cmp"
	"slices"

	"github.com/loratool/loratool/formats"
)

// mlxStack returns what mlx-lm calls the stack of all experts' matrices of a name.
func mlxStack(experts, matrix string) string {
	block := experts[:len(experts)-len(".experts")]
	if n, ok := mixtralNames[matrix]; ok {
		matrix = n
	}
	return block + ".switch_mlp." + matrix
}

// expertStacks collects the tensors of experts, which mlx-lm has in stacks.
type expertStacks struct {
	order []string
	parts map[string][]stackPart // by the name of the stack's tensor
}

type stackPart struct {
	number int
	tensor *formats.Tensor
	matrix *Matrix // nil for what is none
}

// take takes a tensor if it is an expert's.
func (s *expertStacks) take(t *formats.Tensor, x *Matrix) bool {
	module, kind := cutLast(t.Name)
	experts, number, matrix, ok := expertOf(module)
	if !ok {
		return false
	}
	name := mlxStack(experts, matrix) + "." + kind
	if s.parts == nil {
		s.parts = map[string][]stackPart{}
	}
	if s.parts[name] == nil {
		s.order = append(s.order, name)
	}
	s.parts[name] = append(s.parts[name], stackPart{number, t, x})
	return true
}

// cutLast divides a name at its last point.
func cutLast(name string) (before, after string) {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:]
		}
	}
	return "", name
}

// stacked returns the tensors of all stacks, quantized if their parts are to be.
func (p *plan) stacked(s *expertStacks) (out []*formats.Tensor, err error) {
	for _, name := range s.order {
		parts := s.parts[name]
		slices.SortFunc(parts, func(a, b stackPart) int { return cmp.Compare(a.number, b.number) })
		first := parts[0]
		sources := make([]*formats.Tensor, len(parts))
		for i, x := range parts {
			if x.number != i || x.tensor.DType != first.tensor.DType || !slices.Equal(x.tensor.Shape, first.tensor.Shape) || x.typ() != first.typ() {
				return nil, &formats.Error{Path: p.model.Path, Tensor: x.tensor.Name, Err: formats.Reasonf(formats.ErrMismatch,
					"the experts of %s do not make a stack: they are not numbered in order, or differ in shape or type", name)}
			}
			sources[i] = x.tensor
		}
		if len(first.tensor.Shape) != 2 {
			return nil, &formats.Error{Path: p.model.Path, Tensor: first.tensor.Name, Err: formats.Reasonf(formats.ErrUnsupported, "an expert's tensor that is no matrix")}
		}
		made := []*formats.Tensor{stack(name, sources)}
		if typ := first.typ(); typ != "" {
			module, _ := cutLast(name)
			made = p.encodeAs(typ, module, weights{made[0]})
		}
		for _, x := range parts {
			if x.matrix != nil {
				x.matrix.Bytes = numBytes(made) / int64(len(parts))
			}
		}
		out = append(out, made...)
	}
	return out, nil
}

// typ returns what the tensor is quantized to.
func (x *stackPart) typ() Type {
	if x.matrix == nil {
		return ""
	}
	return x.matrix.Type
}
