package shrink

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// Options say how to quantize. The zero value is what most people want.
type Options struct {
	GroupSize int              // weights that share a scale; 0 for what is usual
	Skip      []*regexp.Regexp // modules to leave as they are
	Modules   []Override       // modules of another type; the first that matches counts
	Search    bool             // for the scales with the least error, where loaders can't tell
}

// An Override gives modules a type of their own.
type Override struct {
	Pattern *regexp.Regexp
	Type    Type
}

// A Report says what becomes of each matrix.
type Report struct {
	Type     Type      `json:"type"`
	Matrices []*Matrix `json:"matrices"`
	Notes    []string  `json:"notes,omitempty"` // what a person may want to know
}

// A Matrix is a line of a [Report].
type Matrix struct {
	Name     string `json:"name"` // of the tensor in the source
	Type     Type   `json:"type,omitempty"`
	Kept     string `json:"kept,omitempty"` // why it stays as it is
	Elements int    `json:"elements"`
	Bytes    int64  `json:"bytes"` // with the state beside it

	module string
	source *formats.Tensor
}

// Quantized returns how many matrices are quantized.
func (r *Report) Quantized() (n int) {
	for _, m := range r.Matrices {
		if m.Type != "" {
			n++
		}
	}
	return n
}

// Quantize returns the model with its linear layers quantized, and for MLX its
// embeddings, in the layout of the type's loaders, with the block in config.json that
// they go by. All else stays as it is. Nothing is computed before it is read; what takes
// all of a matrix (a mean, a peak) is found once.
//
// It returns an error wrapping [formats.ErrUnsupported] if the type's loader could not
// load the result, and [formats.ErrMismatch] for options that do not go together.
func Quantize(m *formats.Model, typ Type, o Options) (*formats.Model, *Report, error) {
	p, err := newPlan(m, typ, &o)
	if err != nil {
		return nil, nil, err
	}
	out := &formats.Model{Path: m.Path, Format: m.Format, Stem: m.Stem, Inputs: m.Inputs,
		Metadata: m.Metadata.Without("format").With("format", "pt").With("loratool.quantized", string(typ))}
	if p.info.family == mlx {
		out.Metadata = out.Metadata.With("format", "mlx")
	}
	byName := map[string]*Matrix{}
	for _, x := range p.report.Matrices {
		byName[x.Name] = x
	}
	for _, t := range m.Tensors {
		x := byName[t.Name]
		if p.dropped(t.Name) {
			continue
		}
		if x == nil || x.Type == "" {
			if x != nil {
				x.Bytes = t.NumBytes()
			}
			out.Tensors = append(out.Tensors, t)
			continue
		}
		made := p.encode(x)
		for _, q := range made {
			x.Bytes += q.NumBytes()
		}
		out.Tensors = append(out.Tensors, made...)
	}
	if p.info.family == mlx {
		if out.Tensors, err = p.stackExperts(out.Tensors); err != nil {
			return nil, nil, err
		}
	}
	out.Files = hf.WithConfig(m.Files, p.configured())
	return out, p.report, nil
}

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
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.half = computeDType(m, config); p.half == formats.F32 {
		p.half = formats.BF16
	}
	tie, ok := config.Lookup("tie_word_embeddings")
	p.tied = ok && tie == true || !ok && m.Tensor("lm_head.weight") == nil
	for _, t := range m.Tensors {
		r, module := roleOf(t)
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
	return p, p.checkExperts()
}

// check returns an error if the options do not fit the type, or the model any type.
func (p *plan) check() error {
	m, o := p.model, p.o
	if p.config == nil {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it has no config.json, which has to say how the weights are quantized"),
			Hint: "give the checkpoint's folder"}
	}
	if p.config.Has("quantization_config") || p.config.Has("quantization") {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "the checkpoint is quantized already")}
	}
	switch p.config.String("model_type") {
	case "gpt2", "openai-gpt", "imagegpt":
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "its linear layers are stored turned round (Conv1D), which loaders of quantized weights do not expect")}
	}
	types := []TypeInfo{p.info}
	for _, v := range o.Modules {
		t := v.Type.info()
		if t.family != p.info.family {
			return formats.Reasonf(formats.ErrMismatch, "%s and %s can't be in one checkpoint: no loader takes both", p.info.Type, v.Type)
		}
		if t.family == bitsandbytes && t.Type != p.info.Type {
			return formats.Reasonf(formats.ErrMismatch, "bitsandbytes loads one type a checkpoint: %s or %s", p.info.Type, v.Type)
		}
		types = append(types, t)
	}
	searches := slices.ContainsFunc(types, func(t TypeInfo) bool { return t.Search })
	if o.Search && !searches {
		return formats.Reasonf(formats.ErrMismatch, "there is no search for %s: its scales follow from the weights", p.info.Type)
	}
	if o.GroupSize != 0 && !slices.ContainsFunc(types, func(t TypeInfo) bool { return slices.Contains(t.Groups, o.GroupSize) }) {
		if p.info.Groups == nil {
			return formats.Reasonf(formats.ErrMismatch, "the groups of %s are of one size", p.info.Type)
		}
		return formats.Reasonf(formats.ErrMismatch, "the groups of %s can't be of %d weights, but of one of %v", p.info.Type, o.GroupSize, p.info.Groups)
	}
	return nil
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
	case n == 0 || k == 0:
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

// encode returns the tensors that stand for a matrix.
func (p *plan) encode(x *Matrix) []*formats.Tensor {
	w := weights{x.source}
	search := p.o.Search
	switch x.Type {
	case NF4, NF4DQ:
		return encodeNF4(x.Name, w, p.half, x.Type == NF4DQ)
	case Int8:
		return encodeInt8(x.module, w)
	case MLX4:
		return encodeMLX(x.module, w, 4, p.group(x.Type), p.half)
	case MLX8:
		return encodeMLX(x.module, w, 8, p.group(x.Type), p.half)
	case W4A16:
		return encodeW4A16(x.module, w, p.group(x.Type), p.half, search)
	case FP8:
		return encodeFP8(x.module, w, p.half)
	case FP8Block:
		return encodeBlockFP8(x.module, w)
	case NVFP4:
		return encodeNVFP4(x.module, w, p.peakOf(x), search)
	case MXFP4:
		return encodeMXFP4(x.module, w, search)
	}
	panic("shrink: no encoder of " + string(x.Type))
}

// peakOf returns the peak that a matrix shares with its siblings.
func (p *plan) peakOf(x *Matrix) *peak {
	names := siblings(x.module)
	if shared := p.peaks[names[0]]; shared != nil {
		return shared
	}
	shared := &peak{}
	for _, y := range p.report.Matrices {
		if y.Type == NVFP4 && slices.Contains(names, y.module) {
			shared.of = append(shared.of, weights{y.source})
		}
	}
	p.peaks[names[0]] = shared
	return shared
}

// dropped reports whether a tensor must not be in the result: mlx-lm takes the output
// of a tied model from the embeddings, and has no place for tables that it computes.
func (p *plan) dropped(name string) bool {
	return p.info.family == mlx && (strings.HasSuffix(name, "rotary_emb.inv_freq") || p.tied && name == "lm_head.weight")
}

// checkSiblings notes where servers would not find one type in what they fuse.
func (p *plan) checkSiblings() {
	if p.info.family == mlx || p.info.family == bitsandbytes {
		return
	}
	types := map[string]Type{}
	for _, x := range p.report.Matrices {
		types[x.module] = x.Type
	}
	for _, x := range p.report.Matrices {
		for _, s := range siblings(x.module) {
			if t, ok := types[s]; ok && t != x.Type && s < x.module {
				p.report.Notes = append(p.report.Notes, fmt.Sprintf("vLLM fuses %s and %s, and refuses them unless both are of one type; they are %s and %s",
					s, x.module, cmp.Or(t, "plain"), cmp.Or(x.Type, "plain")))
			}
		}
	}
}

// checkExperts returns an error if the loaders can't load experts of the type.
func (p *plan) checkExperts() error {
	experts := 0
	for _, x := range p.report.Matrices {
		if _, _, _, ok := expertOf(x.module); ok && x.Type != "" {
			experts++
		}
	}
	for _, t := range p.model.Tensors {
		if strings.Contains(t.Name, ".experts.") && len(t.Shape) == 3 {
			if p.info.family == mlx {
				return &formats.Error{Path: p.model.Path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported,
					"experts that are fused into one tensor already, which mlx-lm would have to take apart before they are quantized")}
			}
			p.report.Notes = append(p.report.Notes, fmt.Sprintf("%s stays as it is: experts that are fused into one tensor", t.Name))
		}
	}
	if experts == 0 {
		return nil
	}
	switch {
	case p.info.family == bitsandbytes:
		return &formats.Error{Path: p.model.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"it has experts: transformers fuses them when it loads, and bitsandbytes can't take them quantized"),
			Hint: "--skip '\\.experts\\.' quantizes the rest; mxfp4, w4a16 and fp8 can be loaded with experts"}
	case p.info.Type == NVFP4:
		p.report.Notes = append(p.report.Notes, "transformers 5.23 does not find experts in NVFP4, and makes random ones without an error; vLLM loads them")
	}
	return nil
}
