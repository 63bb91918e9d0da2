package arch

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/loratool/loratool/formats"
)

// A rule pairs tensors of the two sides. In its patterns # stands for the number
// of a layer, @ for that of an expert, and a * at the end for what modules have
// below their name: "weight", "bias". An @ on the Hugging Face side alone means
// that the GGUF tensor is the experts' tensors stacked.
//
//	{hf: "model.layers.#.mlp.experts.@.up_proj.*", gguf: "blk.#.ffn_up_exps.*"}
//
// Several rules with one Hugging Face pattern divide its tensor among them.
type rule struct {
	hf   string
	gguf string
	op   op // how the data differs; nil if it does not
}

// An op says how the data of a pair of tensors differs. It works on one matrix;
// stacking is the rule's business.
type op interface {
	// toGGUF returns the GGUF tensor of that name.
	toGGUF(c *Config, hf *formats.Tensor, name string) (*formats.Tensor, error)

	// toHF returns the Hugging Face tensor of that name. parts has a GGUF tensor
	// for every rule of the Hugging Face pattern, in the table's order.
	toHF(c *Config, parts []part, name string) (*formats.Tensor, error)
}

// A part is a GGUF tensor with the op of the rule that made it.
type part struct {
	op     op
	tensor *formats.Tensor
}

// numbers are what # and @ stand for in a name; -1 if they don't occur.
type numbers struct{ layer, expert int }

// same is the op of tensors that differ in their name only.
type same struct{}

func (same) toGGUF(_ *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	return renamed(t, name, t.Shape), nil
}

func (same) toHF(_ *Config, parts []part, name string) (*formats.Tensor, error) {
	return renamed(parts[0].tensor, name, parts[0].tensor.Shape), nil
}

// renamed returns the tensor under another name, and with another shape of as
// many elements and rows of the same length.
func renamed(t *formats.Tensor, name string, shape []int) *formats.Tensor {
	return &formats.Tensor{Info: formats.Info{Name: name, DType: t.DType, Shape: shape}, Rows: t.Rows}
}

var compiled sync.Map // pattern → *regexp.Regexp

// match returns the numbers and the suffix of a name that a pattern fits.
func match(pattern, name string) (n numbers, suffix string, ok bool) {
	re, ok := compiled.Load(pattern)
	if !ok {
		text := strings.NewReplacer("#", `(?P<layer>\d+)`, "@", `(?P<expert>\d+)`, `\*`, `(?P<suffix>[a-z_.]+)`).Replace(regexp.QuoteMeta(pattern))
		re, _ = compiled.LoadOrStore(pattern, regexp.MustCompile("^"+text+"$"))
	}
	r := re.(*regexp.Regexp)
	m := r.FindStringSubmatch(name)
	if m == nil {
		return n, "", false
	}
	number := func(group string) int {
		if i := r.SubexpIndex(group); i >= 0 {
			if v, err := strconv.Atoi(m[i]); err == nil {
				return v
			}
		}
		return -1
	}
	if i := r.SubexpIndex("suffix"); i >= 0 {
		suffix = m[i]
	}
	return numbers{number("layer"), number("expert")}, suffix, true
}

// expand returns the name that a pattern stands for.
func expand(pattern string, n numbers, suffix string) string {
	return strings.NewReplacer("#", strconv.Itoa(n.layer), "@", strconv.Itoa(n.expert), "*", suffix).Replace(pattern)
}
