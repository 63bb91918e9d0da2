package arch

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
)

// tensorsToGGUF returns the tensors of a checkpoint as GGUF has them, with those
// that are computed, whose key-values go into kv.
func (a *Architecture) tensorsToGGUF(c *Config, kv *keyValues, in []*formats.Tensor) ([]*formats.Tensor, error) {
	var out []*formats.Tensor
	if a.extra != nil {
		extra, err := a.extra(c, kv)
		if err != nil {
			return nil, err
		}
		out = extra
	}
	pairs, err := a.pairToGGUF(c, in)
	return append(out, pairs...), err
}

// pairToGGUF returns the tensors that rules make of a checkpoint's, in the
// checkpoint's order; stacked experts stand where the first of them did. It
// returns an error that lists the tensors for which there is no rule.
func (a *Architecture) pairToGGUF(c *Config, in []*formats.Tensor) ([]*formats.Tensor, error) {
	var (
		out     []*formats.Tensor
		unknown []string
	)
	if a.prepare != nil {
		var err error
		if in, err = a.prepare(in); err != nil {
			return nil, err
		}
	}
	blocks := math.MaxInt
	if a.surplus {
		var err error
		if blocks, err = c.need("num_hidden_layers"); err != nil {
			return nil, err
		}
	}
	stacks := map[string]*stack{}
	tied := c.get("tie_word_embeddings") == true
	for _, t := range in {
		name := a.plainName(t.Name)
		if a.isIgnored(name) || tied && name == "lm_head.weight" || layerOf(name) >= blocks {
			continue
		}
		rules := a.rulesForHF(name)
		if len(rules) == 0 {
			unknown = append(unknown, t.Name)
			continue
		}
		for _, r := range rules {
			n, suffix, _ := match(r.hf, name)
			target := expand(r.gguf, n, suffix)
			if n.expert < 0 {
				g, err := r.apply(c, t, target)
				if err != nil {
					return nil, err
				}
				out = append(out, g)
				continue
			}
			s := stacks[target]
			if s == nil {
				s = &stack{rule: r, name: target}
				stacks[target] = s
				out = append(out, nil) // its place; filled below
				s.place = len(out) - 1
			}
			s.add(n.expert, t)
		}
	}
	if len(unknown) > 0 {
		return nil, unknownTensors(a, unknown)
	}
	for _, s := range stacks {
		g, err := s.toGGUF(c)
		if err != nil {
			return nil, err
		}
		out[s.place] = g
	}
	return out, nil
}

var layerNumber = regexp.MustCompile(`^model\.layers\.(\d+)\.`)

// layerOf returns the number of the layer that a tensor belongs to, or -1.
func layerOf(name string) int {
	m := layerNumber.FindStringSubmatch(name)
	if m == nil {
		return -1
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return n
}

func (r *rule) apply(c *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	o := r.op
	if o == nil {
		o = same{}
	}
	return o.toGGUF(c, t, name)
}

func unknownTensors(a *Architecture, names []string) error {
	shown := names[:min(len(names), 5)]
	more := ""
	if len(names) > len(shown) {
		more = fmt.Sprintf(" and %d more", len(names)-len(shown))
	}
	return formats.Reasonf(formats.ErrUnsupported, "the architecture %s has no place for %s%s", a.Name, strings.Join(shown, ", "), more)
}

// A stack is a GGUF tensor made of the tensors of all experts of a layer.
type stack struct {
	rule    rule
	name    string
	place   int
	experts []*formats.Tensor // by number; nil while missing
}

func (s *stack) add(expert int, t *formats.Tensor) {
	for len(s.experts) <= expert {
		s.experts = append(s.experts, nil)
	}
	s.experts[expert] = t
}

func (s *stack) toGGUF(c *Config) (*formats.Tensor, error) {
	var runs []run
	var shape []int
	for i, t := range s.experts {
		if t == nil {
			return nil, formats.Reasonf(formats.ErrMismatch, "expert %d of %s is missing", i, s.name)
		}
		g, err := s.rule.apply(c, t, s.name)
		if err != nil {
			return nil, err
		}
		if i > 0 && (!slices.Equal(g.Shape, shape) || g.DType != runs[0].from.DType) {
			return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "%v where the other experts have %v %v", &t.Info, runs[0].from.DType, shape))
		}
		shape = g.Shape
		runs = append(runs, run{g, 0, g.NumRows()})
	}
	return gather(s.name, append([]int{len(runs)}, shape...), runs), nil
}

// tensorsToHF returns the tensors of a GGUF model as a checkpoint has them. It is
// the inverse of tensorsToGGUF, but for what only GGUF has.
func (a *Architecture) tensorsToHF(c *Config, in []*formats.Tensor) ([]*formats.Tensor, error) {
	out, err := a.pairToHF(c, in)
	if err != nil || a.restore == nil {
		return out, err
	}
	return a.restore(out)
}

// pairToHF is the inverse of pairToGGUF.
func (a *Architecture) pairToHF(c *Config, in []*formats.Tensor) ([]*formats.Tensor, error) {
	var (
		out     []*formats.Tensor
		unknown []string
	)
	byName := map[string]*formats.Tensor{}
	for _, t := range in {
		byName[t.Name] = t
	}
	done := map[string]bool{}
	for _, t := range in {
		if a.isExtra(t.Name) {
			continue
		}
		r := a.ruleForGGUF(t.Name)
		if r == nil {
			unknown = append(unknown, t.Name)
			continue
		}
		n, suffix, _ := match(r.gguf, t.Name)
		if strings.Contains(r.hf, "@") {
			experts, err := a.unstack(c, r, n, suffix, t)
			if err != nil {
				return nil, err
			}
			out = append(out, experts...)
			continue
		}
		name := a.hfName(r.hf, n, suffix)
		if done[name] {
			continue // made of several parts, of which this is not the first
		}
		done[name] = true
		var parts []part
		for _, sibling := range a.rules {
			if sibling.hf != r.hf {
				continue
			}
			p := byName[expand(sibling.gguf, n, suffix)]
			if p == nil {
				return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "%s is missing, which belongs to it", expand(sibling.gguf, n, suffix)))
			}
			parts = append(parts, part{sibling.orSame(), p})
		}
		h, err := parts[0].op.toHF(c, parts, name)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	if len(unknown) > 0 {
		return nil, unknownTensors(a, unknown)
	}
	return out, nil
}

func (r *rule) orSame() op {
	if r.op == nil {
		return same{}
	}
	return r.op
}

// hfName returns the name that a pattern stands for, with the prefix that
// checkpoints of the architecture have.
func (a *Architecture) hfName(pattern string, n numbers, suffix string) string {
	name := expand(pattern, n, suffix)
	if len(a.prefixes) > 0 {
		name = a.prefixes[0] + name
	}
	return name
}

// unstack returns the experts' tensors of a stack.
func (a *Architecture) unstack(c *Config, r *rule, n numbers, suffix string, t *formats.Tensor) ([]*formats.Tensor, error) {
	var out []*formats.Tensor
	shape := t.Shape[1:]
	rows := t.NumRows() / max(1, t.Shape[0])
	for e := range t.Shape[0] {
		n.expert = e
		name := a.hfName(r.hf, n, suffix)
		one := gather(name, shape, []run{{t, e * rows, (e + 1) * rows}})
		h, err := r.orSame().toHF(c, []part{{r.orSame(), one}}, name)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}
