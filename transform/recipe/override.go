package recipe

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/loratool/loratool/formats"
)

// An Override gives the tensors whose names a pattern occurs in a format.
type Override struct {
	pattern *regexp.Regexp
	DType   formats.DType
}

// Matches reports whether the pattern occurs in the name of a tensor.
func (v Override) Matches(name string) bool { return v.pattern.MatchString(name) }

// String returns the override as [ParseOverride] reads it.
func (v Override) String() string { return v.pattern.String() + "=" + v.DType.String() }

// ParseOverride reads "PATTERN=FORMAT". The pattern is a regular expression that
// may match anywhere in a name, as in llama-quantize: it is made lower-case
// first, so that \S, \D and \W mean \s, \d and \w. Look-ahead and references to
// groups, which llama-quantize has and our engine has not, are refused.
func ParseOverride(s string) (Override, error) {
	i := strings.LastIndexByte(s, '=')
	if i <= 0 {
		return Override{}, fmt.Errorf("%q is not PATTERN=FORMAT", s)
	}
	d, err := ParseDType(s[i+1:])
	if err != nil {
		return Override{}, err
	}
	pattern, err := regexp.Compile(strings.ToLower(s[:i]))
	if err != nil {
		return Override{}, fmt.Errorf("pattern %q: %w", s[:i], err)
	}
	return Override{pattern, d}, nil
}

// ParseDType returns the format of the given name, in any case, if tensors can
// be quantized to it.
func ParseDType(name string) (formats.DType, error) {
	d, ok := formats.ParseDType(strings.ToUpper(name))
	if ok && (d == formats.F32 || d == formats.F16 || d == formats.BF16 || formats.Quantizer(d) != nil) {
		return d, nil
	}
	return formats.Invalid, fmt.Errorf("there is no number format %q to quantize to", name)
}
