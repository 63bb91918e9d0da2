package transform

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// keyPrefix is what PEFT puts before the names of modules.
const keyPrefix = "base_model.model."

// adapterTensors are the tensors of an adapter, and what its configuration must
// say for PEFT to take them.
type adapterTensors struct {
	tensors []*formats.Tensor
	ranks   []moduleRank // of modules and parameters
	saved   []savedTensor

	modules    []string // that have factors
	parameters []string // that have factors
	whole      []string // modules that are saved
	loraBias   bool     // biases are differences, for all modules with factors
	fullBias   bool     // biases of modules with factors are saved
	tied       bool     // the embedding is saved, for the head as well
}

type moduleRank struct {
	name string
	rank int
}

type savedTensor struct {
	tensor *formats.Tensor
	why    string
}

// tensors collects what the adapter consists of.
func (x *extraction) tensors(ctx context.Context) (*adapterTensors, error) {
	a := &adapterTensors{}
	targets := map[string]*layer{}
	for _, l := range x.layers {
		if x.storedRank(l) > 0 {
			targets[l.module] = l
		}
	}
	biases := x.biases()
	for module := range biases { // PEFT has no bias without factors
		if l := x.layerOf(module); targets[module] == nil {
			if err := x.addZeros(l); err != nil {
				return nil, err
			}
			targets[module] = l
		}
	}
	if len(targets) == 0 {
		if err := x.addPlaceholder(targets); err != nil {
			return nil, err
		}
	}
	for _, l := range x.layers {
		if targets[l.module] == l {
			a.addFactors(x, l, x.nesting(l, targets))
		}
	}
	if err := x.addBiases(ctx, a, targets, biases); err != nil {
		return nil, err
	}
	return a, x.addSaved(a, biases)
}

func (x *extraction) storedRank(l *layer) int {
	for _, j := range x.jobs {
		if j.layer == l && j.left != nil {
			return j.left.width
		}
	}
	return 0
}

// layerOf returns the layer of a module whose weight has one, or nil.
func (x *extraction) layerOf(module string) *layer {
	for _, l := range x.layers {
		if l.module == module {
			return l
		}
	}
	return nil
}

// addZeros gives a layer that did not change factors of rank 1 that are zero.
func (x *extraction) addZeros(l *layer) error {
	jobs := x.jobsOf(l)
	for _, j := range jobs {
		j.rank = 1
	}
	return x.reserve(l, jobs)
}

// addPlaceholder gives PEFT, which refuses an adapter without factors, some.
func (x *extraction) addPlaceholder(targets map[string]*layer) error {
	if len(x.changed)+len(x.added) == 0 {
		return &formats.Error{Path: x.tuned.Path, Err: formats.Reasonf(formats.ErrMismatch, "no tensor differs from %s: there is nothing to extract", x.base.Path)}
	}
	for _, l := range x.layers {
		if l.kind == linearLayer || l.kind == conv1DLayer {
			targets[l.module] = l
			return x.addZeros(l)
		}
	}
	return &formats.Error{Path: x.tuned.Path, Err: formats.Reasonf(formats.ErrUnsupported, "no matrix to put factors on, which PEFT needs")}
}

// nesting returns how many of PEFT's wrappers lie around that of a parameter: it
// wraps the parameters of a module in their order, the last one outermost.
func (x *extraction) nesting(l *layer, targets map[string]*layer) (depth int) {
	if l.kind != expertsLayer && l.kind != parameterLayer {
		return 0
	}
	for _, other := range targets {
		if (other.kind == expertsLayer || other.kind == parameterLayer) && moduleOf(other.module) == moduleOf(l.module) &&
			parameterOrder(other.module, l.module) > 0 {
			depth++
		}
	}
	return depth
}

// parameterOrder compares parameters of a module by the order in which models
// declare them: what projects down comes after what projects up.
func parameterOrder(a, b string) int {
	down := func(s string) bool { return strings.Contains(lastOf(s), "down") || lastOf(s) == "w2" }
	if down(a) != down(b) {
		if down(a) {
			return 1
		}
		return -1
	}
	return cmp.Compare(a, b)
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// addFactors adds the two factors of a layer.
func (a *adapterTensors) addFactors(x *extraction, l *layer, depth int) {
	jobs := x.jobsOf(l)
	rank := jobs[0].left.width
	down, up := jobs[0].right.offset, jobs[0].left.offset // A and B
	in, out := jobs[0].delta.cols, jobs[0].delta.rows
	if l.transposed {
		down, up, in, out = up, down, out, in
	}
	key := keyPrefix + l.module
	nameA, nameB := ".lora_A.weight", ".lora_B.weight"
	shapeA, shapeB := []int{rank, in}, []int{out, rank}
	switch l.kind {
	case embeddingLayer:
		nameA, nameB = ".lora_embedding_A", ".lora_embedding_B"
	case convLayer:
		shapeA = append([]int{rank}, l.base.Shape[1:]...)
		for range l.base.Shape[2:] {
			shapeB = append(shapeB, 1)
		}
	case expertsLayer, parameterLayer:
		key = keyPrefix + moduleOf(l.module) + strings.Repeat(".base_layer", depth)
		shapeA[0] *= len(jobs)
		shapeB[1] *= len(jobs)
	}
	a.tensors = append(a.tensors, x.spool.tensor(formats.Info{Name: key + nameA, DType: x.dtype, Shape: shapeA}, down))
	infoB := formats.Info{Name: key + nameB, DType: x.dtype, Shape: shapeB}
	if len(jobs) == 1 {
		a.tensors = append(a.tensors, x.spool.tensor(infoB, up))
	} else {
		parts := x.spool.tensor(formats.Info{Name: infoB.Name, DType: x.dtype, Shape: []int{len(jobs), out, rank}}, up)
		a.tensors = append(a.tensors, &formats.Tensor{Info: infoB, Rows: &interleavedExperts{parts}})
	}
	a.ranks = append(a.ranks, moduleRank{l.module, rank})
	if l.kind == expertsLayer || l.kind == parameterLayer {
		a.parameters = append(a.parameters, l.module)
	} else {
		a.modules = append(a.modules, l.module)
	}
}

// interleavedExperts are the rows of the up factor of fused experts: PEFT has the
// experts as the fastest index of its columns, and here they come one after
// another, of shape [experts, out, rank].
type interleavedExperts struct{ parts *formats.Tensor }

func (e *interleavedExperts) Scratch(n int) int64 {
	return int64(n)*int64(e.parts.Shape[2])*int64(e.parts.DType.BlockBytes()) + e.parts.Rows.Scratch(n)
}

func (e *interleavedExperts) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	experts, out, rank := e.parts.Shape[0], e.parts.Shape[1], e.parts.Shape[2]
	size := e.parts.DType.BlockBytes()
	part := formats.BorrowBytes((hi - lo) * rank * size)
	defer formats.ReturnBytes(part)
	for k := range experts {
		if err := e.parts.ReadRows(ctx, part, k*out+lo, k*out+hi); err != nil {
			return err
		}
		for i := range (hi - lo) * rank {
			copy(dst[(i*experts+k)*size:][:size], part[i*size:])
		}
	}
	return nil
}

// biases returns the changed biases of layers that factors can describe, by
// module.
func (x *extraction) biases() map[string]*formats.Tensor {
	found := map[string]*formats.Tensor{}
	for _, t := range x.changed {
		module, ok := strings.CutSuffix(t.Name, ".bias")
		if l := x.layerOf(module); ok && l != nil && l.kind != embeddingLayer && !x.isWhole(module) {
			found[module] = t
		}
	}
	return found
}

// isWhole reports whether a module is saved in full for another reason.
func (x *extraction) isWhole(module string) bool {
	in := func(list []*formats.Tensor) bool {
		return slices.ContainsFunc(list, func(t *formats.Tensor) bool {
			return moduleOf(t.Name) == module && !strings.HasSuffix(t.Name, ".bias")
		})
	}
	return in(x.changed) || in(x.added)
}

// addBiases adds biases: as differences, which PEFT merges, if all modules with
// factors have biases in the base, and otherwise in full, because PEFT refuses
// differences for modules without.
func (x *extraction) addBiases(ctx context.Context, a *adapterTensors, targets map[string]*layer, biases map[string]*formats.Tensor) error {
	if len(biases) == 0 {
		return nil
	}
	all := true
	for module, l := range targets {
		all = all && l.kind != embeddingLayer && l.kind != expertsLayer && l.kind != parameterLayer && x.base.Tensor(module+".bias") != nil
	}
	a.loraBias, a.fullBias = all, !all
	modules := slices.Clone(a.modules)
	for _, module := range modules {
		t := biases[module]
		switch {
		case all:
			b := x.base.Tensor(module + ".bias")
			if t == nil {
				t = b
			}
			difference := make([]float32, b.NumElements())
			base := make([]float32, b.NumElements())
			if err := t.ReadFloats(ctx, difference, 0, t.NumRows()); err != nil {
				return t.Error(err)
			}
			if err := b.ReadFloats(ctx, base, 0, b.NumRows()); err != nil {
				return b.Error(err)
			}
			kernels.Sub(difference, difference, base)
			d, err := x.asFloat32(keyPrefix+module+".lora_B.bias", difference)
			if err != nil {
				return err
			}
			a.add(d, "bias, as a difference")
		case t != nil:
			a.add(renamed(t, keyPrefix+module+".base_layer.bias"), "bias")
		}
	}
	return nil
}

func (a *adapterTensors) add(t *formats.Tensor, why string) {
	a.tensors = append(a.tensors, t)
	a.saved = append(a.saved, savedTensor{t, why})
}

func renamed(t *formats.Tensor, name string) *formats.Tensor {
	info := t.Info
	info.Name = name
	return &formats.Tensor{Info: info, Rows: t.Rows}
}

// tiedHead returns what the head is called in memory, which a tied checkpoint has
// no tensor of.
func tiedHead(embedding string) string {
	if prefix, _, ok := strings.Cut(embedding, "language_model.model."); ok {
		return prefix + "language_model.lm_head.weight"
	}
	if strings.HasSuffix(embedding, "embed_in.weight") {
		return "embed_out.weight"
	}
	return "lm_head.weight"
}

// addSaved adds the modules that are saved in full, each with all its tensors,
// because PEFT wants them all.
func (x *extraction) addSaved(a *adapterTensors, biases map[string]*formats.Tensor) error {
	why := map[string]string{}
	note := func(list []*formats.Tensor, text string) {
		for _, t := range list {
			if module := moduleOf(t.Name); biases[module] != t && why[module] == "" {
				why[module] = text
			}
		}
	}
	note(x.added, "not in the base, or of another vocabulary")
	note(x.changed, "no matrix to factor, or to be saved")
	for _, t := range x.tuned.Tensors {
		module := moduleOf(t.Name)
		if why[module] == "" {
			for saved := range why {
				if strings.HasPrefix(t.Name, saved+".") {
					return &formats.Error{Path: x.tuned.Path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported,
						"%s has parameters of its own that changed beside those of %s, which PEFT can't save without the latter", saved, module),
						Hint: "leave them out with --exclude"}
				}
			}
			continue
		}
		if module == t.Name {
			return t.Error(formats.Reasonf(formats.ErrUnsupported, "it changed, and PEFT can't save a parameter that belongs to no module"))
		}
		a.add(renamed(t, keyPrefix+t.Name), why[module])
		if x.tied && embeddingName.MatchString(t.Name) && isInputEmbedding(t.Name) {
			// PEFT ties the two again, but wants the head as well.
			a.tied = true
			if head := tiedHead(t.Name); x.tuned.Tensor(head) == nil {
				a.add(renamed(t, keyPrefix+head), "the head, tied to the embedding")
			}
		}
		if !slices.Contains(a.whole, module) {
			a.whole = append(a.whole, module)
		}
	}
	return nil
}
