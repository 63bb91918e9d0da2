package adapter

import (
	"regexp"
	"slices"
	"strings"
)

// checkModulesToSave notes modules that the configuration says are trained as a
// whole, that the base has, and that the adapter lacks, or some parameter of
// them. PEFT lists heads of all tasks there, so a module that neither has means
// nothing.
func (b *builder) checkModulesToSave() {
	c := b.adapter.Config
	for _, name := range c.ModulesToSave {
		if c.TieWeights && b.tied && b.changed() && (b.isHead(name) || b.input != nil && isOrEndsIn(strings.TrimSuffix(b.input.Name, ".weight"), name)) {
			continue
		}
		saved := slices.ContainsFunc(b.plain, func(p plainParam) bool { return p.Part != "original_module" && below(join(p.Module, p.Param), name) })
		if !saved && (b.tied && b.head == nil && b.isHead(name)) {
			b.problem(name, "modules_to_save lists it, but the adapter has no tensor of it")
			continue
		}
		for _, t := range b.targets {
			if t.Base != nil && below(t.Name, name) && !b.replaced[t] {
				b.problem(strings.TrimPrefix(t.Name, "model."), "modules_to_save lists %s, but the adapter has no such tensor", name)
			}
		}
	}
}

// below reports whether a parameter belongs to a module whose path ends in name,
// or to one below. The end need not begin a segment: for PEFT, "norm" in
// modules_to_save means input_layernorm too.
func below(param, name string) bool {
	for path := param; ; {
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return false
		}
		if path = path[:i]; strings.HasSuffix(path, name) {
			return true
		}
	}
}

var number = regexp.MustCompile(`(^|\.)\d+(\.|$)`)

// checkTargets notes modules of the base that target_modules selects and that the
// adapter has nothing for: if it has something for the same module of other
// layers, or nothing for one of the names at all.
//
// Modules that training does not load are left out: layers beyond
// num_hidden_layers, and single experts, which transformers 5 fuses.
func (b *builder) checkTargets() {
	t := &b.adapter.Config.Targets
	if len(t.names) == 0 && t.pattern == nil {
		return
	}
	type group struct{ covered, missing []string }
	groups := map[string]*group{}
	var order []string
	named := map[string]bool{} // by name of target_modules: whether it selects something that is covered
	layers := b.layers()
	for _, target := range b.targets {
		path, ok := strings.CutSuffix(target.Name, ".weight")
		if !ok || target.Base == nil || len(target.Shape) < 2 || layerIndex(path) >= layers || strings.Contains(path, "experts.") {
			continue
		}
		inMemory := strings.TrimSuffix(b.names.inMemory(target.Name), ".weight")
		if !t.match(path) && !t.match(inMemory) || slices.ContainsFunc(b.adapter.Config.ModulesToSave, func(name string) bool { return below(target.Name, name) }) {
			continue
		}
		for _, name := range t.names {
			if isOrEndsIn(path, name) || isOrEndsIn(inMemory, name) {
				named[name] = named[name] || b.covered[path]
			}
		}
		key := number.ReplaceAllString(number.ReplaceAllString(path, "$1*$2"), "$1*$2")
		g := groups[key]
		if g == nil {
			g = &group{}
			groups[key] = g
			order = append(order, key)
		}
		if b.covered[path] {
			g.covered = append(g.covered, path)
		} else {
			g.missing = append(g.missing, path)
		}
	}
	for _, key := range order {
		if g := groups[key]; len(g.covered) > 0 {
			for _, path := range g.missing {
				b.problem(path, "target_modules selects it, but the adapter has no tensors for it")
			}
		}
	}
	for _, name := range t.names {
		if covered, ok := named[name]; ok && !covered {
			b.problem(name, "target_modules lists it, but the adapter has no tensors for any such module")
		}
	}
}

// layers returns the number of layers that the base's configuration gives, or a
// number beyond all.
func (b *builder) layers() int {
	for _, o := range []string{"", "text_config"} {
		config := b.plan.Config
		if o != "" {
			config = config.Object(o)
		}
		if n, ok := config.Int("num_hidden_layers"); ok {
			return int(n)
		}
	}
	return 1 << 30
}
