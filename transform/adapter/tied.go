package adapter

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// Tied embeddings. Where a model is tied, its head (lm_head) is its input
// embedding under another name, and files hold it once. An adapter on one of the
// two was trained with the base's values in the other, so that merging it into
// the shared tensor changes both and is wrong. Instead they are untied: the
// output has both tensors, and its configuration says so.
//
// They stay tied where an adapter means both: ensure_weight_tying, trained tokens
// of the input embedding, and a vocabulary that was resized.

// embeddings are the input embedding and the head of a model.
type embeddings struct {
	input    *Target // nil if there is none
	head     *Target // nil if the base has none, or until it is untied
	tied     bool
	headName string // what the head is called on disk if it has to be created

	both       []Applied       // ops on the two as one
	bothSource *formats.Tensor // replaces the values of the two as one; nil if nothing does
	bothOf     int             // the adapter that it comes from
}

// Names of input embeddings and heads, the usual ones first.
var (
	inputNames = []string{"embed_tokens", "wte", "word_embeddings", "embed_in", "tok_embeddings", "embeddings", "shared", "embed", "token_embedding"}
	headNames  = []string{"lm_head", "embed_out", "proj_out", "output_layer", "output", "decoder", "generator_lm_head"}
)

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// findEmbeddings finds the embedding and the head among the base's tensors.
func findEmbeddings(targets []*Target, config *strictjson.Object) (e embeddings) {
	find := func(names []string) *Target {
		for _, name := range names {
			for _, t := range targets {
				if module, ok := strings.CutSuffix(t.Name, ".weight"); ok && t.isMatrix() && lastSegment(module) == name && !foreign(module) {
					return t
				}
			}
		}
		return nil
	}
	if e.input = find(inputNames); e.input == nil {
		return e
	}
	e.head = find(headNames)
	if e.head != nil && !slices.Equal(e.head.Shape, e.input.Shape) {
		e.head = nil // a projection that happens to have such a name
	}
	tie := tieFlag(config)
	e.tied = tie == yes && e.head != nil || e.head == nil && tie != no && generates(config)
	e.headName = headName(config, e.input)
	return e
}

// generates reports whether a model has a head over its vocabulary, going by the
// names of its classes, or by its configuration's word on tied embeddings if it
// names none.
func generates(config *strictjson.Object) bool {
	classes := config.Array("architectures")
	for _, v := range classes {
		class, _ := v.(string)
		for _, part := range []string{"LMHead", "CausalLM", "ConditionalGeneration", "MaskedLM", "DoubleHeads", "PreTraining", "Seq2Seq"} {
			if strings.Contains(class, part) {
				return true
			}
		}
	}
	return len(classes) == 0 && (config == nil || tieFlag(config) == yes)
}

// otherHeads are the model types whose head is not called lm_head on disk.
var otherHeads = map[string]string{
	"gpt_neox": "embed_out", "whisper": "proj_out", "bert": "cls.predictions.decoder", "electra": "generator_lm_head",
	"distilbert": "vocab_projector", "albert": "predictions.decoder", "roberta": "lm_head.decoder", "xlm-roberta": "lm_head.decoder",
	"camembert": "lm_head.decoder", "mpnet": "lm_head.decoder", "modernbert": "decoder",
}

// headName returns what the head's tensor is called on disk.
func headName(config *strictjson.Object, input *Target) string {
	switch name := otherHeads[config.String("model_type")]; {
	case name != "":
		return name + ".weight"
	case strings.HasPrefix(input.Name, "language_model.model."):
		return "language_model.lm_head.weight"
	}
	return "lm_head.weight"
}

// scaledIfTied are the model types that scale what goes into the head while it is
// tied, so that untying it changes more than a name.
var scaledIfTied = []string{"t5", "longt5", "switch_transformers", "umt5", "pop2piano", "udop"}

// foreign reports whether a module belongs to an encoder of something else than
// text.
func foreign(module string) bool {
	return strings.Contains(module, "vision") || strings.Contains(module, "visual") || strings.Contains(module, "audio")
}

type flag int

const (
	unsaid flag = iota
	yes
	no
)

// tieFlag returns what a configuration says about tied embeddings: at the top, or
// in that of the text model.
func tieFlag(config *strictjson.Object) flag {
	for _, o := range []*strictjson.Object{config, config.Object("text_config")} {
		if v, ok := o.Get("tie_word_embeddings").(bool); ok {
			if v {
				return yes
			}
			return no
		}
	}
	return unsaid
}

// untie sets tie_word_embeddings to false: at the top in any case, where many
// types of models have true if nothing is said, and wherever else it is.
func (p *Plan) untie() {
	if p.Config == nil || tieFlag(p.Config) == no {
		return
	}
	p.Config.Set("tie_word_embeddings", false)
	if text := p.Config.Object("text_config"); text.Has("tie_word_embeddings") {
		text.Set("tie_word_embeddings", false)
	}
	p.Changes = append(p.Changes, "tie_word_embeddings: false")
}

// isHead reports whether a module of an adapter is the model's head.
func (e *embeddings) isHead(module string) bool {
	if e.input == nil {
		return false
	}
	return slices.Contains(headNames, lastSegment(module)) && !foreign(module) && !strings.Contains(module, "layers.")
}

// tiedSource returns where the values of the two come from, apart from what
// replaces one of them.
func (e *embeddings) tiedSource() *formats.Tensor {
	if e.bothSource != nil {
		return e.bothSource
	}
	return e.input.Base
}

// headTarget returns the head as a tensor of its own, which it may become here.
func (ix *index) headTarget() *Target {
	if ix.head == nil {
		source := ix.tiedSource()
		ix.head = &Target{Info: source.Info, Source: source, SourceOf: -1, MatrixCols: source.NumCols()}
		ix.head.Name, ix.head.DType = ix.headName, ix.input.DType
		ix.create(ix.head)
	}
	return ix.head
}

// shareSource gives the two the values that replace them as one. It is called
// when all adapters have said what they replace, and before any adds to it.
func (ix *index) shareSource() {
	if !ix.tied {
		return
	}
	for _, t := range []*Target{ix.input, ix.head} {
		if t != nil && t.SourceOf < 0 {
			t.Source = ix.tiedSource() // also of a head on disk, which loading ignores
			t.Shape = t.Source.Shape
		}
	}
}

// settle gives the two their common ops, and reports whether they are untied.
func (ix *index) settle() (untied bool) {
	if !ix.tied {
		return false
	}
	own := func(t *Target) bool { return t != nil && (len(t.Ops) > 0 || t.SourceOf >= 0) }
	if untied = own(ix.input) || own(ix.head); untied {
		ix.headTarget()
	}
	for _, t := range []*Target{ix.input, ix.head} {
		if t == nil {
			continue
		}
		if t.Source == ix.bothSource {
			t.SourceOf = ix.bothOf
		}
		t.Ops = append(t.Ops, ix.both...)
		slices.SortStableFunc(t.Ops, func(a, b Applied) int { return a.Adapter - b.Adapter })
	}
	if !untied && ix.head != nil && !ix.changed() {
		ix.head.Source = ix.head.Base
	}
	return untied
}

// changed reports whether anything happens to the two as one.
func (e *embeddings) changed() bool { return len(e.both) > 0 || e.bothSource != nil }
