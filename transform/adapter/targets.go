package adapter

import (
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// targets say which modules of the base a configuration adapts. A merge goes by
// the tensors in the file; this serves to notice tensors that are missing.
type targets struct {
	names   []string       // a module of this name, or at the end of its path
	pattern *regexp.Regexp // or one whose whole path matches; nil if there is none
	exclude []string
	layers  []int // only modules of these layers; nil for all
}

// parseTargets reads target_modules and what narrows it. The values "all-linear"
// and patterns that Go can't read select nothing: nothing is then noticed, and
// nothing else depends on it.
func parseTargets(o *strictjson.Object) (t targets, err error) {
	if s, ok := o.Get("target_modules").(string); ok {
		if strings.EqualFold(s, "all-linear") {
			return t, nil
		}
		t.pattern, _ = regexp.Compile(`^(?:` + s + `)$`)
	} else if t.names, err = stringList(o.Get("target_modules")); err != nil {
		return t, formats.Reasonf(formats.ErrFormat, "target_modules: %v", err)
	}
	if s, ok := o.Get("exclude_modules").(string); ok && s != "" {
		return targets{}, nil // a pattern that excludes: what is left can't be told for sure
	} else if !ok {
		if t.exclude, err = stringList(o.Get("exclude_modules")); err != nil {
			return t, formats.Reasonf(formats.ErrFormat, "exclude_modules: %v", err)
		}
	}
	switch v := o.Get("layers_to_transform").(type) {
	case nil:
	case strictjson.Number:
		i, ok := v.Int()
		if !ok {
			return t, formats.Reasonf(formats.ErrFormat, "layers_to_transform is %s", preview(v))
		}
		t.layers = []int{int(i)}
	default:
		if t.layers, err = intList(v); err != nil {
			return t, formats.Reasonf(formats.ErrFormat, "layers_to_transform: %v", err)
		}
	}
	return t, nil
}

// match reports whether a module is adapted, as far as its path tells.
func (t *targets) match(module string) bool {
	if matchesName(t.exclude, module) {
		return false
	}
	if !matchesName(t.names, module) && (t.pattern == nil || !t.pattern.MatchString(module)) {
		return false
	}
	return t.layers == nil || slices.Contains(t.layers, layerIndex(module))
}

// matchesName reports whether a module's path is one of the names or ends in one,
// at a segment's border.
func matchesName(names []string, module string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return isOrEndsIn(module, name) })
}

func isOrEndsIn(path, name string) bool {
	return name != "" && strings.HasSuffix(path, name) && (len(path) == len(name) || path[len(path)-len(name)-1] == '.')
}

var numberedSegment = regexp.MustCompile(`\.(\d+)\.`)

// layerIndex returns the first number that is a segment of the path, or -1.
func layerIndex(module string) int {
	m := numberedSegment.FindStringSubmatch(module)
	if m == nil || len(m[1]) > 9 {
		return -1
	}
	n := 0
	for _, c := range m[1] {
		n = 10*n + int(c-'0')
	}
	return n
}
