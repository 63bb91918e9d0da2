package arch

import (
	"slices"

	"github.com/loratool/loratool/formats"
)

// factorStacks collect the factors of experts.
type factorStacks struct {
	names []string
	a, b  map[string][]*formats.Tensor
}

func newFactorStacks() *factorStacks {
	return &factorStacks{a: map[string][]*formats.Tensor{}, b: map[string][]*formats.Tensor{}}
}

func (s *factorStacks) add(name string, expert int, a, b *formats.Tensor) {
	if s.a[name] == nil {
		s.names = append(s.names, name)
	}
	for len(s.a[name]) <= expert {
		s.a[name], s.b[name] = append(s.a[name], nil), append(s.b[name], nil)
	}
	s.a[name][expert], s.b[name][expert] = a, b
}

// finish adds the stacks to the output. All experts must be there, with one rank.
func (s *factorStacks) finish(out *formats.Model) error {
	for _, name := range s.names {
		for _, f := range []struct {
			part string
			list []*formats.Tensor
		}{{".lora_a", s.a[name]}, {".lora_b", s.b[name]}} {
			var runs []run
			for e, t := range f.list {
				if t == nil {
					return formats.Reasonf(formats.ErrUnsupported, "expert %d of %s has no factors, and a GGUF adapter needs them of all", e, name)
				}
				if !slices.Equal(t.Shape, f.list[0].Shape) || t.DType != f.list[0].DType {
					return t.Error(formats.Reasonf(formats.ErrUnsupported, "%v, but %v for the first expert: a GGUF adapter needs one rank for all", &t.Info, &f.list[0].Info))
				}
				runs = append(runs, run{t, 0, t.NumRows()})
			}
			out.Tensors = append(out.Tensors, gather(name+f.part, append([]int{len(runs)}, f.list[0].Shape...), runs))
		}
	}
	return nil
}
