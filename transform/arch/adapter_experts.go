package arch

import (
	"context"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
)

// Fused experts. Of a parameter of E experts PEFT has A as [E·r, in], the experts
// one after the other, and B as [out, r·E], the experts side by side. GGUF has
// [E, r, in] and [E, out, r]:
//
//	lora_b[e, o, k] = B[o, k·E + e]

// fusedParams are the parameters of a module of experts in the order in which
// wrappers nest: the first one is the innermost.
var fusedParams = []string{"gate_up_proj", "down_proj"}

// fused reports whether the pair is for all experts of a layer.
func (p *pair) fused() bool { return slices.Contains(fusedParams, p.param) }

// nameParam finds out which parameter of its module a pair is for. pairs are all
// that there are.
func nameParam(c *adapter.Config, p *pair, pairs []*pair) error {
	var params []string
	for _, name := range fusedParams {
		if c.TargetsParameter(p.module + "." + name) {
			params = append(params, name)
		}
	}
	levels := 0
	for _, q := range pairs {
		if q.module == p.module {
			levels++
		}
	}
	switch {
	case len(params) == 0 && p.wrappers == 0:
		p.targeted = c.TargetsParameter(p.weight())
		return nil
	case levels != len(params) || p.wrappers >= levels:
		return p.a.Error(formats.Reasonf(formats.ErrMismatch, "module %s has factors at %d levels for the parameters %v", p.module, levels, params))
	}
	p.param, p.targeted = params[levels-1-p.wrappers], true
	return nil
}

// expertFactors returns the factors of fused experts as GGUF has them.
func expertFactors(c *Config, p *pair, rank int) (a, b *formats.Tensor, err error) {
	experts, err := c.need("num_local_experts", "num_experts", "n_routed_experts")
	if err != nil {
		return nil, nil, err
	}
	hidden, err := c.need("hidden_size")
	if err != nil {
		return nil, nil, err
	}
	in, out := p.a.Shape[1], p.b.Shape[0]
	switch {
	case experts == 0 || p.a.Shape[0] != experts*rank || p.b.Shape[1] != experts*rank:
		return nil, nil, p.a.Error(formats.Reasonf(formats.ErrMismatch, "the factors have the shapes %v and %v, which do not fit the rank %d and %d experts", p.a.Shape, p.b.Shape, rank, experts))
	case p.param == "gate_up_proj" && in != hidden || p.param == "down_proj" && out != hidden:
		return nil, nil, &formats.Error{Tensor: p.a.Name, Err: formats.Reasonf(formats.ErrUnsupported, "the factors have the shapes %v and %v: they are the other way round, as early versions of PEFT had them", p.a.Shape, p.b.Shape), Hint: mergeInstead}
	}
	a = renamed(p.a, p.a.Name, []int{experts, rank, in})
	b = &formats.Tensor{Info: formats.Info{Name: p.b.Name, DType: p.b.DType, Shape: []int{experts, out, rank}}, Rows: &sideBySide{p.b, experts}}
	return a, b, nil
}

// sideBySide are the rows of [experts, rows, n], picked from a matrix [rows,
// n·experts] whose columns belong to one expert after the other.
type sideBySide struct {
	from    *formats.Tensor
	experts int
}

func (s *sideBySide) Scratch(int) int64 { return s.from.RowBytes() + s.from.Rows.Scratch(1) }

// ReadRows reads each row of the matrix once, for all experts of which it has some
// of the wanted rows.
func (s *sideBySide) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	raw := formats.BorrowBytes(int(s.from.RowBytes()))
	defer formats.ReturnBytes(raw)
	rows, size := s.from.NumRows(), s.from.DType.BlockBytes()
	n := s.from.NumCols() / s.experts
	for o := range rows {
		e := max(0, lo-o+rows-1) / rows // the first expert whose row o is not before lo
		if e*rows+o >= hi {
			continue
		}
		if err := s.from.ReadRows(ctx, raw, o, o+1); err != nil {
			return err
		}
		for ; e*rows+o < hi; e++ {
			row := dst[(e*rows+o-lo)*n*size:]
			for k := range n {
				copy(row[k*size:(k+1)*size], raw[(k*s.experts+e)*size:])
			}
		}
	}
	return nil
}
