package arch

import (
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// An Architecture describes a family of models on both sides.
type Architecture struct {
	Name    string   // in GGUF: general.architecture
	Classes []string // in Hugging Face: architectures in config.json

	rules    []rule
	ignored  []string // patterns of Hugging Face tensors that GGUF does not have: buffers, unused heads
	prefixes []string // what may stand before Hugging Face names; the first is written by FromGGUF

	// unadapted are patterns of GGUF matrices that llama.cpp multiplies by without
	// looking for an adapter: what one has for them would be lost without a word.
	unadapted []string

	// surplus says that layers past the configured number, which predict further
	// tokens, are left out.
	surplus bool

	// prepare brings tensors into the form that the rules speak of, and restore
	// undoes it. May be nil.
	prepare, restore func(tensors []*formats.Tensor) ([]*formats.Tensor, error)

	// quantMethod is the quant_method of quantized checkpoints that prepare
	// understands; empty if there are none.
	quantMethod string

	// defaults are what transformers takes for parameters that config.json lacks,
	// as a JSON object.
	defaults string
	// derived parameters are computed from others. May be nil.
	derive func(c *Config) error

	// extra returns tensors that GGUF has and checkpoints don't, computed from the
	// configuration, and the key-values that go with them. May be nil.
	extra func(c *Config, kv *keyValues) ([]*formats.Tensor, error)

	// family says which files hold the vocabulary; finish changes tokenizer
	// key-values where a family has its own. The latter may be nil. pre has the names
	// that llama.cpp gives the family's pre-tokenizers, by those of others that split
	// text alike.
	family tokenizer.Family
	finish func(c *Config, kv *keyValues)
	pre    map[string]string

	// checkpoint says how config.json is restored from key-values.
	checkpoint checkpoint

	// keyValues adds what describes the model: sizes, attention, the file's type.
	keyValues func(c *Config, kv *keyValues) error
}

// architectures lists all that there are. Each file adds its own.
var architectures []*Architecture

func register(a *Architecture) *Architecture {
	architectures = append(architectures, a)
	return a
}

// complete fills in the parameters that the configuration leaves to transformers.
func (a *Architecture) complete(c *Config) error {
	if a.defaults != "" {
		o, err := strictjson.ParseObject([]byte(a.defaults))
		if err != nil {
			panic("arch: the defaults of " + a.Name + ": " + err.Error())
		}
		c.defaults = o
	}
	if a.derive != nil {
		return a.derive(c)
	}
	return nil
}

// ForClass returns the architecture of a Hugging Face class, or an error wrapping
// [formats.ErrUnsupported] that names the class and those that there are.
func ForClass(class string) (*Architecture, error) {
	for _, a := range architectures {
		if slices.Contains(a.Classes, class) {
			return a, nil
		}
	}
	return nil, formats.Reasonf(formats.ErrUnsupported, "the architecture %q has no conversion to GGUF; there are %s", class, strings.Join(classes(), ", "))
}

// ForName returns the architecture of a GGUF name, or an error wrapping
// [formats.ErrUnsupported]. Where families share a name (llama), the one is
// returned whose rules fit all tensors.
func ForName(name string, tensors []*formats.Tensor) (*Architecture, error) {
	for _, a := range architectures {
		if a.Name == name && !slices.ContainsFunc(tensors, func(t *formats.Tensor) bool { return a.ruleForGGUF(t.Name) == nil && !a.isExtra(t.Name) }) {
			return a, nil
		}
	}
	return nil, formats.Reasonf(formats.ErrUnsupported, "the GGUF architecture %q has no conversion to Hugging Face", name)
}

// Names returns the GGUF names of all architectures, sorted.
func Names() []string {
	var names []string
	for _, a := range architectures {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func classes() []string {
	var names []string
	for _, a := range architectures {
		names = append(names, a.Classes...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// plainName strips what may stand before a Hugging Face name.
func (a *Architecture) plainName(name string) string {
	for _, p := range a.prefixes {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return rest
		}
	}
	return name
}

// isIgnored reports whether a Hugging Face tensor has no place in GGUF.
func (a *Architecture) isIgnored(name string) bool {
	return slices.ContainsFunc(a.ignored, func(p string) bool {
		_, _, ok := match(p, name)
		return ok
	})
}

// computed are the names of GGUF tensors that come from the configuration.
var computed = regexp.MustCompile(`^rope_(freqs|factors_long|factors_short)\.weight$`)

func (a *Architecture) isExtra(name string) bool { return a.extra != nil && computed.MatchString(name) }

// rulesForHF returns the rules for a Hugging Face name, in the table's order.
func (a *Architecture) rulesForHF(name string) []rule {
	var out []rule
	for _, r := range a.rules {
		if len(out) > 0 && r.hf != out[0].hf {
			continue
		}
		if _, _, ok := match(r.hf, name); ok {
			out = append(out, r)
		}
	}
	return out
}

// ruleForGGUF returns the rule for a GGUF name, or nil.
func (a *Architecture) ruleForGGUF(name string) *rule {
	for i := range a.rules {
		if _, _, ok := match(a.rules[i].gguf, name); ok {
			return &a.rules[i]
		}
	}
	return nil
}
