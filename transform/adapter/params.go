package adapter

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

// replaceParams plans the plain parameters of the adapter. Each takes the place of
// the base's, or is created: modules_to_save, trained biases, and the copies of
// embeddings that PEFT saves because they are adapted or were resized.
func (b *builder) replaceParams() error {
	for i := range b.plain {
		p := &b.plain[i]
		if p.Part == "original_module" {
			b.consumed++ // a copy of the base's, beside the trained one in raw dumps
			continue
		}
		t := b.paramOf(p)
		if t == nil {
			if err := b.createParam(p); err != nil {
				return err
			}
			continue
		}
		if err := b.replaceParam(p, t); err != nil {
			return err
		}
		b.consumed++
	}
	return nil
}

// paramOf returns the base's tensor for a plain parameter, or nil. Raw dumps have
// the adapter's name after modules_to_save.
func (b *builder) paramOf(p *plainParam) *Target {
	module, param := splitParam(p.Module, p.Param)
	t := b.param(module, param)
	if t == nil && p.Part != "" {
		if name, rest, ok := strings.Cut(p.Param, "."); ok {
			module, param = splitParam(p.Module, rest)
			if t = b.param(module, param); t != nil || name == "default" || name == b.name {
				p.Param = rest
			}
		}
	}
	return t
}

// splitParam moves all but the last segment of a parameter's name to its module.
func splitParam(module, param string) (string, string) {
	if i := strings.LastIndexByte(param, '.'); i >= 0 {
		return join(module, param[:i]), param[i+1:]
	}
	return module, param
}

// listed reports whether a plain parameter belongs to one of modules_to_save.
func (b *builder) listed(p *plainParam) bool {
	return p.Part == "modules_to_save" || slices.ContainsFunc(b.adapter.Config.ModulesToSave,
		func(name string) bool { return below(join(p.Module, p.Param), name) })
}

// createParam plans a parameter that the base lacks: the head of a tied model, or
// that of a task the base was not trained for.
func (b *builder) createParam(p *plainParam) error {
	v, err := b.values(p.tensor)
	if err != nil {
		return err
	}
	if b.tied && b.isHead(p.Module) && p.Param == "weight" {
		b.covered[p.Module] = true
		b.consumed++
		if !b.listed(p) || b.adapter.Config.TieWeights {
			return b.replaceBoth(p, v)
		}
		return b.setSource(b.headTarget(), p, v)
	}
	if !b.listed(p) {
		b.problem(p.tensor.Name, "the base has no such parameter, and modules_to_save does not list it")
		return nil
	}
	name := join(p.Module, p.Param)
	if b.disk[name] != nil {
		return b.mismatch(p.tensor, "another adapter creates it too")
	}
	t := &Target{Info: p.tensor.Info, Source: p.tensor, SourceOf: b.number, MatrixCols: p.tensor.NumCols()}
	t.Name, t.DType = name, b.plan.commonDType(b.targets)
	b.create(t)
	b.covered[p.Module] = true
	b.consumed++
	return nil
}

// commonDType returns the floating-point format that most of the base's tensors
// have, which created ones get too.
func (p *Plan) commonDType(targets []*Target) formats.DType {
	counts := map[formats.DType]int{}
	common := formats.F32
	for _, t := range targets {
		if t.Base == nil || t.DType != formats.F32 && t.DType != formats.F16 && t.DType != formats.BF16 {
			continue
		}
		counts[t.DType]++
		if counts[t.DType] > counts[common] {
			common = t.DType
		}
	}
	return common
}

// replaceParam plans a parameter that takes the place of the base's.
func (b *builder) replaceParam(p *plainParam, t *Target) error {
	b.replaced[t] = true
	v, err := b.values(p.tensor)
	if err != nil {
		return err
	}
	if b.isTiedPair(t) && (!b.listed(p) || b.adapter.Config.TieWeights) {
		return b.replaceBoth(p, v)
	}
	return b.setSource(t, p, v)
}

// setSource makes an adapter's tensor the values of a target.
func (b *builder) setSource(t *Target, p *plainParam, v values) error {
	if err := b.checkShape(t, p, t.Shape); err != nil {
		return err
	}
	if strength := b.adapter.Strength; strength != 1 && !p.Saved {
		if !slices.Equal(p.tensor.Shape, t.Shape) {
			return b.mismatch(p.tensor, "a vocabulary of another size can't be taken over with strength %v", strength)
		}
		b.apply(t, &replaceAll{v, t.MatrixCols, float32(strength)})
		return nil
	}
	if t.SourceOf >= 0 {
		same, err := b.sameData(t.Source, p.tensor)
		if err != nil || same {
			return err
		}
		return b.mismatch(p.tensor, "another adapter replaces the same tensor")
	}
	t.Source, t.SourceOf, t.Shape = p.tensor, b.number, p.tensor.Shape
	return nil
}

// replaceBoth makes an adapter's tensor the values of the tied embedding and head.
// If the adapter has the two apart after all, they become so.
func (b *builder) replaceBoth(p *plainParam, v values) error {
	if err := b.checkShape(b.input, p, b.input.Base.Shape); err != nil {
		return err
	}
	if b.adapter.Strength != 1 && !p.Saved {
		return b.mismatch(p.tensor, "the embedding as a whole can't be replaced with strength %v", b.adapter.Strength)
	}
	if b.bothSource == nil {
		b.bothSource, b.bothOf = p.tensor, b.number
		return nil
	}
	same, err := b.sameData(b.bothSource, p.tensor)
	if err != nil || same {
		return err
	}
	if b.bothOf != b.number {
		return b.mismatch(p.tensor, "another adapter replaces the same tensor")
	}
	if b.isHead(p.Module) {
		return b.setSource(b.headTarget(), p, v)
	}
	return b.setSource(b.input, p, v)
}

// checkShape compares a replacing tensor with what it replaces. Embeddings may
// have another number of rows if that is allowed.
func (b *builder) checkShape(t *Target, p *plainParam, shape []int) error {
	got := p.tensor.Shape
	if slices.Equal(got, shape) {
		return nil
	}
	if !b.isEmbedding(t) || len(got) != 2 || got[1] != shape[1] {
		return b.misfit(p.tensor, t)
	}
	if !b.options.GrowVocab {
		return b.vocabularyError(p.tensor, got[0], t)
	}
	b.plan.Tokenizer = b.number
	return nil
}

// sameData reports whether two tensors hold the same bytes. A plan that reads
// headers only takes it for granted.
func (b *builder) sameData(x, y *formats.Tensor) (bool, error) {
	if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) {
		return false, nil
	}
	if b.options.HeadersOnly {
		return true, nil
	}
	rows := x.NumRows()
	step := max(1, int((1<<20)/max(1, x.RowBytes())))
	p, q := formats.BorrowBytes(step*int(x.RowBytes())), formats.BorrowBytes(step*int(x.RowBytes()))
	defer formats.ReturnBytes(p)
	defer formats.ReturnBytes(q)
	for lo := 0; lo < rows; lo += step {
		n := int(x.RowBytes()) * (min(lo+step, rows) - lo)
		if err := x.ReadRows(context.Background(), p[:n], lo, min(lo+step, rows)); err != nil {
			return false, err
		}
		if err := y.ReadRows(context.Background(), q[:n], lo, min(lo+step, rows)); err != nil {
			return false, err
		}
		if !bytes.Equal(p[:n], q[:n]) {
			return false, nil
		}
	}
	return true, nil
}
