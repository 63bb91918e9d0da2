package adapter

import (
	"regexp"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// Patterns map names of modules to numbers: rank_pattern and alpha_pattern. The
// first entry, in the order of the file, whose key matches the name counts. A key
// is a regular expression that must match whole path segments at the end of the
// name, like Python's
//
//	re.match(r"(.*\.)?(KEY)$", name)
type Patterns []pattern

type pattern struct {
	key   string
	value float64
	re    *regexp.Regexp
}

// parsePatterns reads a JSON object of numbers. Python's regular expressions can
// look around and refer back, Go's can't: such a key is refused, since skipping
// it would change the scale of modules silently.
func parsePatterns(field string, v strictjson.Value) (Patterns, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(*strictjson.Object)
	if !ok {
		return nil, formats.Reasonf(formats.ErrFormat, "%s is no object", field)
	}
	var p Patterns
	for _, m := range o.Members {
		n, ok := m.Value.(strictjson.Number)
		if !ok {
			return nil, formats.Reasonf(formats.ErrFormat, "%s: the value of %q is no number", field, m.Key)
		}
		re, err := compile(field, `^(?:.*\.)?(?:`+m.Key+`)$`, m.Key)
		if err != nil {
			return nil, err
		}
		p = append(p, pattern{m.Key, n.Float(), re})
	}
	return p, nil
}

// compile compiles an expression made of a key of the configuration.
func compile(field, expr, key string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, formats.Reasonf(formats.ErrUnsupported, "%s: the regular expression %q can't be used here: %v", field, key, err)
	}
	return re, nil
}

// lookup returns the value of the first entry that matches, or otherwise. A name
// always matches itself, even where it means something else as an expression.
func (p Patterns) lookup(name string, otherwise float64) float64 {
	for i := range p {
		if p[i].re.MatchString(name) {
			return p[i].value
		}
	}
	for i := range p {
		if p[i].key == name {
			return p[i].value
		}
	}
	return otherwise
}
