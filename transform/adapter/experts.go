package adapter

import (
	"cmp"
	"slices"

	"github.com/loratool/loratool/formats"
)

// Fused experts (target_parameters). For a parameter of E experts, A of shape
// [E·r, in] has the experts as its slowest axis, B of shape [out, r·E] as its
// fastest:
//
//	Δ[e] = s · B[:, :, e] · A[e]      with B as [out, r, E] and A as [E, r, in]
//
// s goes by r, not by r·E. The parameter is stored [E, out, in], by some
// architectures [E, in, out], or as tensors of single experts.
//
// Each adapted parameter of a module is a wrapper around the last one: the
// outermost has the factors under the module's own name, the others below one
// base_layer each. They nest in the order in which the module registers its
// parameters, the first one innermost; the order in the configuration means
// nothing.

// paramOrder is that order, for the parameters of experts that there are.
var paramOrder = []string{"gate_up_proj", "gate_up_proj_bias", "gate_proj", "up_proj", "down_proj", "down_proj_bias", "w1", "v1", "w2", "w3", "weight", "bias"}

// transposedTypes are the model types that store fused experts [E, in, out]. It
// matters where in and out are equal.
var transposedTypes = []string{"gpt_oss", "aria", "aria_text", "openai_privacy_filter", "qwen3_vl_moe", "qwen3_vl_moe_text"}

// holdsParams reports whether the base's module has no weight of its own but
// parameters that are adapted one by one, or such a weight for several experts.
func (b *builder) holdsParams(path string) bool { return len(b.paramsOf(path)) > 0 }

// paramsOf lists the parameters of a module that the configuration targets, in
// the order of the module; all fused ones if it targets none by name.
func (b *builder) paramsOf(path string) []string {
	if t := b.lookup(path, "weight"); t != nil && t.isMatrix() || b.lookup(path, "in_proj_weight") != nil {
		return nil
	}
	var named, all []string
	for _, p := range paramOrder {
		t := b.lookup(path, p)
		f := b.lookupFused(path, p)
		if t == nil && f == nil || t != nil && len(t.Shape) != 3 && !b.adapter.Config.TargetsParameter(path+"."+p) {
			continue
		}
		if len(b.adapter.Config.TargetParameters) == 0 && p == "weight" {
			continue // a convolution
		}
		all = append(all, p)
		if b.adapter.Config.TargetsParameter(path + "." + p) {
			named = append(named, p)
		}
	}
	if len(named) > 0 {
		return named
	}
	return all
}

func (b *builder) lookup(module, param string) *Target {
	for _, path := range []string{module, b.place.apply(module)} {
		if t := b.index.param(join(path, param)); t != nil {
			return t
		}
	}
	return nil
}

func (b *builder) lookupFused(module, param string) *fused {
	for _, path := range []string{module, b.place.apply(module)} {
		if f := b.fused[join(path, param)]; f != nil {
			return f
		}
	}
	return nil
}

// buildWrappers plans all wrappers of a module.
func (b *builder) buildWrappers(path string) error {
	var levels []*module
	for _, m := range b.modules {
		if m.path == path {
			levels = append(levels, m)
		}
	}
	slices.SortFunc(levels, func(x, y *module) int { return y.wrappers - x.wrappers }) // innermost first
	params := b.paramsOf(path)
	if len(params) == 0 {
		for _, m := range levels {
			b.unplaced(m, "the base has no such module, or none of its parameters are adapted one by one")
		}
		return nil
	}
	for i, m := range levels {
		if len(levels) != len(params) || m.wrappers != len(levels)-1-i {
			return &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrMismatch,
				"module %s: the adapter has factors at %d levels for the parameters %v", path, len(levels), params)}
		}
		if err := b.buildParam(m, params[i]); err != nil {
			return err
		}
		b.finish(m)
	}
	return nil
}

// buildParam plans the factors of one parameter of a module.
func (b *builder) buildParam(m *module, param string) error {
	f, err := b.takeFactors(m, "lora_A", "lora_B", m.path+"."+param)
	if f == nil || err != nil {
		return err
	}
	if f.magnitude != nil || f.diag != nil {
		return b.mismatch(f.a.Tensor, "a parameter of its own has DoRA or KaSA, which PEFT does not know")
	}
	if kind, err := b.residualKind(); err != nil || kind != "" {
		return cmp.Or(err, b.mismatch(f.a.Tensor, "a parameter of its own was initialised by %s, which PEFT does not know", kind))
	}
	if fused := b.lookupFused(m.path, param); fused != nil {
		return b.buildFused(fused, f)
	}
	t := b.lookup(m.path, param)
	b.covered[t.Name] = true
	if t.isMatrix() {
		return b.buildLinear(m, t, f, true)
	}
	return b.buildStacked(t, f)
}

// checkExperts checks the shapes of factors for E experts.
func (b *builder) checkExperts(f *factors, experts int) error {
	if len(f.a.Shape) != 2 || len(f.b.Shape) != 2 || f.a.Shape[0]%experts != 0 || f.b.Shape[1]%experts != 0 {
		return b.mismatch(f.a.Tensor, "shapes %v and %v are no factors for %d experts", f.a.Shape, f.b.Shape, experts)
	}
	return b.checkRank(f, f.a.Shape[0]/experts, f.b.Shape[1]/experts)
}

// down returns expert e's part of A, and up that of B from the given row on.
func (f *factors) down(e int) factor {
	in := f.a.Shape[1]
	return factor{values: f.a, offset: e * f.rank * in, stride: 1, step: in, rank: f.rank}
}

func (f *factors) up(e, experts, row int) factor {
	width := f.rank * experts
	return factor{values: f.b, offset: row*width + e, stride: width, step: experts, rank: f.rank}
}

// buildFused plans factors of a parameter that the file has as tensors of single
// experts.
func (b *builder) buildFused(p *fused, f *factors) error {
	experts := len(p.experts)
	if err := b.checkExperts(f, experts); err != nil {
		return err
	}
	for e, parts := range p.experts {
		row := 0
		for _, t := range parts {
			if t.Shape[1] != f.a.Shape[1] {
				return b.misfit(f.a.Tensor, t)
			}
			b.apply(t, b.delta(t, f, "lora", true, product{hi: t.Shape[0], left: f.up(e, experts, row), right: f.down(e)}))
			row += t.Shape[0]
		}
		if row != f.b.Shape[0] {
			return b.misfit(f.b.Tensor, parts[0])
		}
	}
	return nil
}

// buildStacked plans factors of a parameter that the file has as one tensor.
func (b *builder) buildStacked(t *Target, f *factors) error {
	if len(t.Shape) != 3 || t.Shape[0] == 0 {
		return b.misfit(f.a.Tensor, t)
	}
	experts, rows, cols := t.Shape[0], t.Shape[1], t.Shape[2]
	if err := b.checkExperts(f, experts); err != nil {
		return err
	}
	in, out := f.a.Shape[1], f.b.Shape[0]
	transposed := rows == in && cols == out && (in != out || b.names.is(transposedTypes...))
	if !transposed && (rows != out || cols != in) {
		return b.misfit(f.a.Tensor, t)
	}
	products := make([]product, experts)
	for e := range products {
		p := product{lo: e * rows, hi: (e + 1) * rows, left: f.up(e, experts, 0), right: f.down(e)}
		if transposed {
			p.left, p.right = p.right, p.left
		}
		products[e] = p
	}
	b.apply(t, b.delta(t, f, "lora", true, products...))
	return nil
}
