package adapter

import (
	"fmt"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// A Weighted is an adapter with its strength: the factor by which everything it
// changes is multiplied.
type Weighted struct {
	*Adapter
	Strength float64
}

// BaseIs says which base an adapter is merged into whose initialisation changed
// the base: PiSSA, OLoRA and their like.
type BaseIs string

const (
	BaseUnsaid   BaseIs = ""
	BaseOriginal BaseIs = "original" // as published: the change is computed and made
	BaseResidual BaseIs = "residual" // changed already
)

// Options say what a plan may do that could as well be a mistake.
type Options struct {
	BaseIs         BaseIs
	GrowVocab      bool // take over a vocabulary of another size
	AllowUnmatched bool // report tensors without a place in the base instead of failing
	AllowNonfinite bool // let NaN and infinities of the adapters pass
	HeadersOnly    bool // compare no data, as for a dry run
}

// A Plan says what becomes of every tensor of a base.
type Plan struct {
	Targets   []*Target          // in the order of the output
	Config    *strictjson.Object // config.json brought up to date; nil if the base has none
	Problems  []Problem          // what Options.AllowUnmatched let pass
	Changes   []string           // what changed in Config
	Tokenizer int                // index of the adapter whose tokenizer goes with the vocabulary; -1 for the base's
	Consumed  []int              // by adapter: how many of its tensors are used
}

// A Problem is a tensor of an adapter, or a module of its configuration, that has
// no place in the merge.
type Problem struct {
	Adapter int    `json:"adapter"`
	Name    string `json:"name"`
	Reason  string `json:"reason"`
}

// NewPlan plans the merge of adapters into a base, from the headers alone.
//
// It returns an error wrapping [formats.ErrMismatch] if adapter and base, or
// tensors and configuration, don't belong together, and
// [formats.ErrUnsupported] for what can't be merged.
func NewPlan(base *formats.Model, adapters []Weighted, o Options) (*Plan, error) {
	if base.Format == "gguf" {
		return nil, &formats.Error{Path: base.Path, Err: formats.Reasonf(formats.ErrUnsupported, "the base is a GGUF file, whose tensors have other names and row orders"),
			Hint: "merge into the Hugging Face checkpoint, and convert the result"}
	}
	config, err := hf.Config(base)
	if err != nil {
		return nil, err
	}
	p := &Plan{Config: config, Tokenizer: -1}
	tensors, err := p.replicate(base, adapters)
	if err != nil {
		return nil, err
	}
	ix := newIndex(tensors, config)
	builders := make([]*builder, len(adapters))
	for i, a := range adapters {
		builders[i] = &builder{index: ix, plan: p, adapter: a, number: i, options: o}
		if err := builders[i].begin(); err != nil {
			return nil, at(a.Weights.Path, err)
		}
	}
	ix.shareSource()
	for i, b := range builders {
		if err := b.build(); err != nil {
			return nil, at(adapters[i].Weights.Path, err)
		}
		p.Consumed = append(p.Consumed, b.consumed)
	}
	if ix.settle() {
		if ix.names.is(scaledIfTied...) {
			return nil, &formats.Error{Path: base.Path, Err: formats.Reasonf(formats.ErrUnsupported,
				"an adapter changes the embedding or the head alone, and a model of this type (%s) computes otherwise when the two are not tied", ix.names.types[0])}
		}
		p.untie()
	}
	p.Targets = ix.targets
	if err := p.checkQuantized(); err != nil {
		return nil, err
	}
	return p, p.checkVocabulary(base, ix)
}

// checkQuantized returns an error if something is to be added to a tensor whose
// numbers are codes.
func (p *Plan) checkQuantized() error {
	names := map[string]bool{}
	for _, t := range p.Targets {
		names[t.Name] = true
	}
	quantized := p.Config.Object("quantization_config")
	for _, t := range p.Targets {
		if len(t.Ops) == 0 {
			continue
		}
		switch t.Source.DType {
		case formats.F32, formats.F16, formats.BF16:
			continue
		case formats.F8_E4M3, formats.F8_E5M2:
			if quantized == nil && !names[t.Name+"_scale_inv"] && !names[t.Name+"_scale"] {
				continue
			}
		}
		e := &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported, "the base has it as %v, which nothing can be added to", &t.Source.Info)}
		if t.Source.DType == formats.F64 {
			e.Hint = "cast the base to float32 first: loratool cast --dtype f32"
		}
		if quantized != nil {
			e.Hint = fmt.Sprintf("the base is quantized (%s); merge into the unquantized checkpoint, and quantize the result", quantized.String("quant_method"))
		}
		return e
	}
	return nil
}

// problemsError lists tensors that have no place.
func problemsError(a *Adapter, problems []Problem, total int) error {
	const shown = 8
	var lines []string
	for i, p := range problems {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(problems)-shown))
			break
		}
		lines = append(lines, p.Name+": "+p.Reason)
	}
	return &formats.Error{Path: a.Weights.Path, Err: formats.Reasonf(formats.ErrMismatch, "%d of the adapter's %d tensors or modules have no place in the merge: %s",
		len(problems), total, strings.Join(lines, "; ")),
		Hint: "is this the base that the adapter was trained on? --allow-unmatched merges the rest"}
}
