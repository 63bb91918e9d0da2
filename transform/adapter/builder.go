package adapter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

// A builder plans one adapter.
type builder struct {
	*index
	plan    *Plan
	adapter Weighted
	number  int // of the adapter
	options Options

	modules  []*module
	byModule map[moduleKey]*module
	plain    []plainParam
	name     string // of the adapter, where keys have it
	place    prefix
	covered  map[string]bool // modules of the base that the adapter has something for, by path
	replaced map[*Target]bool
	consumed int
	problems []Problem
}

// A module is what an adapter has for one module of the base, or for one
// parameter of it where wrappers nest.
type module struct {
	moduleKey
	tensors map[string]*formats.Tensor // by part: "lora_A", "lora_B.bias"
	order   []string
}

type moduleKey struct {
	path     string
	wrappers int
}

// A plainParam replaces a parameter of the base, or creates one.
type plainParam struct {
	Key
	tensor *formats.Tensor
}

// begin sorts the adapter's tensors, and replaces parameters: that may change the
// shapes and values that the other tensors are for.
func (b *builder) begin() error {
	if len(b.adapter.Weights.Tensors) == 0 {
		return &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrMismatch, "the adapter has no tensors")}
	}
	if err := b.sort(); err != nil {
		return err
	}
	b.place = b.findPrefix()
	b.covered, b.replaced = map[string]bool{}, map[*Target]bool{}
	return b.replaceParams()
}

// build plans the rest.
func (b *builder) build() error {
	if err := tuners[b.adapter.Config.Type].build(b); err != nil {
		return err
	}
	b.checkModulesToSave()
	b.checkTargets()
	if b.consumed == 0 && len(b.problems) > 0 {
		return &formats.Error{Path: b.adapter.Weights.Path, Err: formats.Reasonf(formats.ErrMismatch,
			"none of the adapter's %d tensors match the base: it has no module %s", len(b.adapter.Weights.Tensors), ParseKey(b.adapter.Weights.Tensors[0].Name).Module),
			Hint: "is this the base that the adapter was trained on?"}
	}
	if len(b.problems) > 0 && !b.options.AllowUnmatched {
		return problemsError(b.adapter.Adapter, b.problems, len(b.adapter.Weights.Tensors))
	}
	b.plan.Problems = append(b.plan.Problems, b.problems...)
	return nil
}

// sort takes the adapter's names apart and puts together what belongs to one
// module.
func (b *builder) sort() error {
	b.byModule = map[moduleKey]*module{}
	for _, t := range b.adapter.Weights.Tensors {
		k := ParseKey(t.Name)
		if k.Name != "" {
			if b.name != "" && b.name != k.Name {
				return b.mismatch(t, "its name has %q where others have %q: tensors of several adapters are mixed", k.Name, b.name)
			}
			b.name = k.Name
		}
		if slices.Contains(trainingParts, k.Part) {
			b.consumed++
			continue
		}
		switch k.Part {
		case "", "modules_to_save", "original_module", "ln_tuning_layers":
			b.plain = append(b.plain, plainParam{k, t})
			continue
		}
		part := k.Part
		if k.Param == "bias" {
			part += ".bias"
		}
		key := moduleKey{k.Module, k.Wrappers}
		m := b.byModule[key]
		if m == nil {
			m = &module{moduleKey: key, tensors: map[string]*formats.Tensor{}}
			b.byModule[key] = m
			b.modules = append(b.modules, m)
		}
		if m.tensors[part] != nil {
			return b.mismatch(t, "the adapter has the same under the name %q", m.tensors[part].Name)
		}
		m.tensors[part] = t
		m.order = append(m.order, part)
	}
	return nil
}

// mismatch returns an error about a tensor of the adapter.
func (b *builder) mismatch(t *formats.Tensor, format string, args ...any) error {
	return &formats.Error{Path: values{Tensor: t}.path(), Tensor: t.Name, Err: formats.Reasonf(formats.ErrMismatch, format, args...)}
}

// problem notes that a tensor or module has no place.
func (b *builder) problem(name, format string, args ...any) {
	b.problems = append(b.problems, Problem{b.number, name, fmt.Sprintf(format, args...)})
}

// unplaced notes all tensors of a module as without a place.
func (b *builder) unplaced(m *module, format string, args ...any) {
	for _, part := range m.order {
		b.problem(m.tensors[part].Name, format, args...)
	}
}

// take returns a tensor of the module for use, or nil if there is none of that
// part. Each part that is not taken in the end has no place.
func (b *builder) take(m *module, part string) *formats.Tensor {
	t := m.tensors[part]
	if t != nil {
		delete(m.tensors, part)
		b.consumed++
	}
	return t
}

// finish notes the module's tensors that nothing took.
func (b *builder) finish(m *module) {
	for _, part := range m.order {
		if t := m.tensors[part]; t != nil {
			b.problem(t.Name, "a %s adapter has no use for it", b.adapter.Config.Type)
		}
	}
}

// values returns the elements of an adapter's tensor. It returns an error if it
// holds no floating-point numbers.
func (b *builder) values(t *formats.Tensor) (values, error) {
	switch t.DType {
	case formats.F32, formats.F16, formats.BF16, formats.F64, formats.F8_E4M3, formats.F8_E5M2:
		return values{t, b.options.AllowNonfinite}, nil
	}
	return values{}, &formats.Error{Path: values{Tensor: t}.path(), Tensor: t.Name,
		Err: formats.Reasonf(formats.ErrUnsupported, "an adapter's tensor of %v can't be read as numbers to add", t.DType)}
}

// apply adds an op to a target.
func (b *builder) apply(t *Target, op Op) {
	if t.NumElements() > 0 {
		t.Ops = append(t.Ops, Applied{op, b.number, b.adapter.Strength})
	}
}

// param returns the base's tensor that an adapter calls by this name, or nil.
func (b *builder) param(module, param string) *Target {
	for _, path := range []string{module, b.place.apply(module)} {
		if t := b.index.param(join(path, param)); t != nil {
			b.covered[strings.TrimSuffix(t.Name, "."+param)] = true
			return t
		}
	}
	return nil
}

func join(module, param string) string {
	if module == "" {
		return param
	}
	return module + "." + param
}

// prefix is the difference between the paths of modules in an adapter and in a
// base that was saved as the inner or the outer model of what was trained.
type prefix struct {
	strip int    // leading segments that the base lacks
	add   string // what the base has before them
}

func (p prefix) apply(module string) string {
	for range p.strip {
		_, rest, ok := strings.Cut(module, ".")
		if !ok {
			return module
		}
		module = rest
	}
	return p.add + module
}

// findPrefix returns the prefix under which most of the adapter's modules are in
// the base: none if that does as well as any other.
func (b *builder) findPrefix() prefix {
	adds := []string{""}
	seen := map[string]bool{}
	for _, t := range b.targets {
		first, _, ok := strings.Cut(t.Name, ".")
		if ok && !seen[first] && len(adds) < 32 {
			seen[first] = true
			adds = append(adds, first+".")
		}
	}
	var best prefix
	most := -1
	for strip := range 4 {
		for _, add := range adds {
			p := prefix{strip, add}
			n := 0
			for _, m := range b.modules {
				if b.knows(p.apply(m.path)) {
					n++
				}
			}
			for i := range b.plain {
				if b.index.param(join(p.apply(b.plain[i].Module), b.plain[i].Param)) != nil {
					n++
				}
			}
			if n > most {
				best, most = p, n
			}
		}
	}
	return best
}

// knows reports whether the base has a module of this path with a parameter that
// adapters adapt.
func (b *builder) knows(module string) bool {
	for _, param := range []string{"weight", "in_proj_weight", "gate_up_proj", "down_proj"} {
		if b.index.param(join(module, param)) != nil || b.fused[join(module, param)] != nil {
			return true
		}
	}
	return false
}
