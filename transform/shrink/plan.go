package shrink

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// A plan is what becomes of a model.
type plan struct {
	model  *formats.Model
	config *strictjson.Object
	info   TypeInfo
	o      *Options
	half   formats.DType // of scales
	tied   bool
	report *Report
	peaks  map[string]*peak // by the first of the modules that share it
}

func newPlan(m *formats.Model, typ Type, o *Options) (*plan, error) {
	config, err := hf.Config(m)
	if err != nil {
		return nil, err
	}
	p := &plan{model: m, config: config, info: typ.info(), o: o, report: &Report{Type: typ}, peaks: map[string]*peak{}}
	if p.info.Type == "" {
		return nil, formats.Reasonf(formats.ErrUnsupported, "there is no type %q", typ)
	}
	if typ == MXFP4 && config.String("model_type") == "gpt_oss" {
		p.info = GptOss
	}
	p.report.Loader = p.info.Loader
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.half = computeDType(m, config); p.half == formats.F32 {
		p.half = formats.BF16
	}
	tie, ok := config.Lookup("tie_word_embeddings")
	p.tied = ok && tie == true || !ok && m.Tensor("lm_head.weight") == nil
	for _, t := range m.Tensors {
		r, module := p.roleOf(t)
		if r == other {
			continue
		}
		x := &Matrix{Name: t.Name, Elements: t.NumElements(), module: module, source: t}
		x.Type, x.Kept = p.typeOf(r, module, t)
		p.report.Matrices = append(p.report.Matrices, x)
	}
	if p.report.Quantized() == 0 {
		return nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "no matrix can be quantized to %s", typ)}
	}
	p.checkSiblings()
	if p.info.family == gptOss {
		return p, p.checkGptOss()
	}
	return p, p.checkExperts()
}

// group returns the size of a type's groups.
func (p *plan) group(t Type) int {
	if groups := t.info().Groups; len(groups) > 0 {
		if slices.Contains(groups, p.o.GroupSize) {
			return p.o.GroupSize
		}
		return groups[0]
	}
	switch t {
	case NVFP4:
		return nvGroup
	case MXFP4:
		return mxGroup
	}
	return 0
}

// typeOf returns the type of a matrix, or why it has none.
func (p *plan) typeOf(r role, module string, t *formats.Tensor) (Type, string) {
	typ := p.info.Type
	switch {
	case p.info.family == mlx && r == router:
		typ = MLX8 // as mlx_lm.convert does
	case p.info.family == mlx && (r == embedding || r == head):
	case p.info.family == gptOss && r == linear:
		return "", "of gpt-oss, only experts are in MXFP4"
	case r == experts && p.info.family == gptOss:
	case r != linear:
		return "", roleReasons[r]
	}
	for _, re := range p.o.Skip {
		if re.MatchString(module) {
			return "", "--skip"
		}
	}
	for _, v := range p.o.Modules {
		if v.Pattern.MatchString(module) {
			typ = v.Type
			break
		}
	}
	return p.fits(typ, t)
}

// fits returns the type if the matrix can be of it, or why not.
func (p *plan) fits(typ Type, t *formats.Tensor) (Type, string) {
	n, k := t.Shape[0], t.Shape[1]
	group := p.group(typ)
	switch {
	case t.NumElements() == 0:
		return "", "it is empty"
	case group != 0 && k%group != 0:
		return "", fmt.Sprintf("its rows of %d are no multiple of %d", k, group)
	case typ == FP8Block && (n > fp8Tile && n%fp8Tile != 0 || k > fp8Tile && k%fp8Tile != 0):
		return "", fmt.Sprintf("[%d %d] does not divide into tiles of %d", n, k, fp8Tile)
	case (typ == NF4 || typ == NF4DQ) && n*k%2 != 0:
		return "", "it has an odd number of elements"
	}
	return typ, ""
}

// dropped reports whether a tensor must not be in the result: mlx-lm takes the output
// of a tied model from the embeddings, and has no place for tables that it computes.
func (p *plan) dropped(name string) bool {
	return p.info.family == mlx && (strings.HasSuffix(name, "rotary_emb.inv_freq") || p.tied && name == "lm_head.weight")
}
