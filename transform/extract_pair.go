package transform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// A layerKind says how an adapter changes a tensor.
type layerKind string

const (
	linearLayer    layerKind = "linear"    // weight [out, in]
	conv1DLayer    layerKind = "conv1d"    // weight [in, out], as GPT-2's Conv1D has it
	embeddingLayer layerKind = "embedding" // weight [vocabulary, dim]
	convLayer      layerKind = "conv"      // weight [out, in, k…], flattened
	expertsLayer   layerKind = "experts"   // a parameter [experts, out, in], or [experts, in, out]
	parameterLayer layerKind = "parameter" // a parameter [out, in] that is no layer's weight
)

// A layer is a tensor that both models have and that factors can describe.
type layer struct {
	kind        layerKind
	tensor      string
	module      string // the layer, or the parameter itself
	base, tuned *formats.Tensor
	transposed  bool // rows are inputs: the left factor is Aᵀ, not B
	matrices    []*delta
}

// A modelPair is two models, tensor by tensor.
type modelPair struct {
	base, tuned *formats.Model
	layers      []*layer
	vectors     []*formats.Tensor // of the fine-tuned model: biases, norms, and whatever is no matrix
	whole       []*formats.Tensor // of the fine-tuned model: to be saved in full if they changed
	added       []*formats.Tensor // of the fine-tuned model: not in the base, or of another vocabulary
	left        []string          // tensors that the filters exclude
	modelType   string
	tied        bool // the embedding is the head as well
	resized     bool // the vocabulary has another size
}

var (
	embeddingName = regexp.MustCompile(`(^|[._])(wte|wpe|shared|embed_in|embed_tokens\w*|embed_positions|tok_embeddings|\w*embeddings?)\.weight$`)
	headName      = regexp.MustCompile(`(^|\.)(lm_head|embed_out|output|output_layer|proj_out|decoder)\.(weight|bias)$`)
	// routerName is of modules that choose experts. Since transformers 5 they are no
	// linear layers, so that PEFT can't put factors on them; they are small.
	routerName = regexp.MustCompile(`(^|\.)(router|gate|gate_inp|router\.layer|router\.classifier)\.weight$`)
	conv1DName = regexp.MustCompile(`(^|\.)(c_attn|q_attn|c_proj|c_fc)\.weight$`)
)

var (
	// conv1DTypes are the model types whose linear layers are of the class Conv1D.
	conv1DTypes = []string{"gpt2", "openai-gpt", "imagegpt", "decision_transformer", "clvp", "clvp_decoder"}
	// transposedExperts are the model types that store fused experts [experts, in, out].
	transposedExperts = []string{"gpt_oss", "aria", "aria_text", "openai_privacy_filter", "qwen3_vl_moe", "qwen3_vl_moe_text"}
)

// pairModels matches the tensors of a base and a fine-tuned model. What can't be
// the fine-tune of that base is an error wrapping [formats.ErrMismatch] that lists
// the differences.
func pairModels(base, tuned *formats.Model, o *ExtractOptions) (*modelPair, error) {
	p := &modelPair{base: base, tuned: tuned}
	config, err := hf.Config(base)
	if err != nil {
		return nil, err
	}
	p.modelType = config.String("model_type")
	p.tied = tiesEmbeddings(config, base)
	var differences []string
	for _, b := range base.Tensors {
		if tuned.Tensor(b.Name) == nil && o.wants(b.Name) && !(headName.MatchString(b.Name) && ownHead(tuned) == nil) {
			differences = append(differences, b.Name+" is missing from the fine-tuned model")
		}
	}
	for _, t := range tuned.Tensors {
		b := base.Tensor(t.Name)
		switch {
		case !o.wants(t.Name):
			p.left = append(p.left, t.Name)
		case b == nil || !slices.Equal(b.Shape, t.Shape):
			if b != nil && !isVocabulary(b, t) {
				differences = append(differences, fmt.Sprintf("%s is %v in the base and %v in the fine-tuned model", t.Name, b.Shape, t.Shape))
				continue
			}
			p.resized = p.resized || b != nil
			p.added = append(p.added, t)
		case !t.DType.IsFloat() && !t.DType.IsQuantized() || formats.Decoder(t.DType) == nil || formats.Decoder(b.DType) == nil:
			p.whole = append(p.whole, t)
		default:
			p.classify(b, t, o)
		}
	}
	if len(differences) > 0 {
		return nil, structureError(base, tuned, differences)
	}
	if len(p.layers) == 0 && len(p.vectors) == 0 {
		if len(p.left) > 0 && len(p.left) == len(tuned.Tensors) {
			return nil, &formats.Error{Path: tuned.Path, Err: formats.Reasonf(formats.ErrMismatch, "include and exclude leave none of its %d tensors", len(p.left)),
				Hint: "loratool inspect --tensors lists the names that the expressions are matched with"}
		}
		return nil, &formats.Error{Path: tuned.Path, Err: formats.Reasonf(formats.ErrMismatch, "it has no tensor in common with %s", base.Path)}
	}
	return p, nil
}

// structureError lists the first few differences.
func structureError(base, tuned *formats.Model, differences []string) error {
	const most = 10
	text := strings.Join(differences[:min(most, len(differences))], "; ")
	if n := len(differences) - most; n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return &formats.Error{Path: tuned.Path, Err: formats.Reasonf(formats.ErrMismatch, "not a fine-tune of %s: %s", base.Path, text),
		Hint: "check that the two belong together; --include and --exclude choose tensors"}
}

func (p *modelPair) classify(b, t *formats.Tensor, o *ExtractOptions) {
	module, isWeight := strings.CutSuffix(t.Name, ".weight")
	l := &layer{tensor: t.Name, module: module, base: b, tuned: t}
	dims := len(t.Shape)
	switch {
	case o.saves(t.Name) || routerName.MatchString(t.Name) || p.tied && embeddingName.MatchString(t.Name) && isInputEmbedding(t.Name):
		p.whole = append(p.whole, t)
		return
	case isWeight && dims == 2 && embeddingName.MatchString(t.Name):
		l.kind, l.transposed = embeddingLayer, true
	case isWeight && dims == 2 && slices.Contains(conv1DTypes, p.modelType) && conv1DName.MatchString(t.Name):
		l.kind, l.transposed = conv1DLayer, true
	case isWeight && dims == 2:
		l.kind = linearLayer
	case isWeight && dims > 2:
		l.kind = convLayer
	case dims == 2 && !strings.HasSuffix(t.Name, ".bias") && strings.Contains(t.Name, ".") && t.Shape[0] > 1:
		l.kind = parameterLayer
	case dims == 3 && strings.Contains(t.Name, "."):
		l.kind, l.transposed = expertsLayer, slices.Contains(transposedExperts, p.modelType)
	default:
		p.vectors = append(p.vectors, t)
		return
	}
	if l.kind == expertsLayer {
		for e := range t.Shape[0] {
			l.matrices = append(l.matrices, newDelta(fmt.Sprintf("%s[%d]", t.Name, e), b, t, e, t.Shape[0]))
		}
	} else {
		l.matrices = []*delta{newDelta(t.Name, b, t, 0, 1)}
	}
	if rows, cols := l.matrices[0].Dims(); rows == 0 || cols == 0 {
		p.vectors = append(p.vectors, t)
		return
	}
	p.layers = append(p.layers, l)
}

func (o *ExtractOptions) wants(name string) bool {
	return (o.Include == nil || o.Include.MatchString(name)) && (o.Exclude == nil || !o.Exclude.MatchString(name))
}

// saves reports whether a module of that tensor is to be saved in full.
func (o *ExtractOptions) saves(name string) bool {
	module := moduleOf(name)
	return slices.ContainsFunc(o.SaveModules, func(m string) bool { return module == m || strings.HasSuffix(module, "."+m) })
}

// moduleOf returns the layer that a tensor belongs to.
func moduleOf(tensor string) string {
	if i := strings.LastIndexByte(tensor, '.'); i >= 0 {
		return tensor[:i]
	}
	return tensor
}

// isVocabulary reports whether two shapes differ as those of a resized
// vocabulary do: in the first dimension of an embedding or of the head.
func isVocabulary(b, t *formats.Tensor) bool {
	return (embeddingName.MatchString(t.Name) || headName.MatchString(t.Name)) &&
		len(b.Shape) == len(t.Shape) && len(b.Shape) > 0 && slices.Equal(b.Shape[1:], t.Shape[1:])
}

// isInputEmbedding excludes positions and the like.
func isInputEmbedding(name string) bool {
	return !strings.Contains(name, "position") && !strings.Contains(name, "wpe") && !strings.Contains(name, "type")
}

// ownHead returns the head's weight, or nil if the model has none of its own.
func ownHead(m *formats.Model) *formats.Tensor {
	for _, t := range m.Tensors {
		if headName.MatchString(t.Name) && strings.HasSuffix(t.Name, ".weight") {
			return t
		}
	}
	return nil
}

// tiesEmbeddings reports whether the head is the input embedding: the
// configuration says so, or it says nothing and there is no head.
func tiesEmbeddings(config *strictjson.Object, m *formats.Model) bool {
	for _, c := range []*strictjson.Object{config, config.Object("text_config")} {
		if c.Has("tie_word_embeddings") {
			return c.Bool("tie_word_embeddings")
		}
	}
	return ownHead(m) == nil
}
