package recipe

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

// Options are a recipe and changes to it.
type Options struct {
	FType              FType
	Pure               bool          // no mix: every tensor gets the file type's format
	LeaveOutput        bool          // output.weight keeps its format
	OutputType         formats.DType // of output.weight; Invalid for the recipe's
	TokenEmbeddingType formats.DType // of token embeddings; Invalid for the recipe's
	Overrides          []Override    // the first that matches counts
	HasImatrix         bool          // there is an importance matrix
}

// A Choice is what a tensor becomes.
type Choice struct {
	DType    formats.DType
	Kept     bool          // the tensor is none of those that recipes change
	Fixed    bool          // the options name the format, for this tensor or the kind of it
	Fallback formats.DType // what it would have been if its rows filled whole blocks; Invalid if they do
}

const (
	outputName              = "output.weight"
	tokenEmbeddingName      = "token_embd.weight"
	layerTokenEmbeddingName = "per_layer_token_embd.weight"
)

// A category is what a tensor does in the model, as its name tells.
type category int

const (
	other category = iota
	output
	tokenEmbedding
	attnQKV
	attnKVB
	attnV
	attnK
	attnQ
	attnOutput
	ffnUp
	ffnGate
	ffnDown
)

// categoryParts are parts of names; the first that occurs counts. Experts, and
// experts that all tokens share, have names that begin like those of dense models.
var categoryParts = []struct {
	part     string
	category category
}{
	{"attn_qkv.weight", attnQKV},
	{"attn_kv_b.weight", attnKVB},
	{"attn_v.weight", attnV},
	{"attn_k.weight", attnK},
	{"attn_q.weight", attnQ},
	{"attn_output.weight", attnOutput},
	{"ffn_up", ffnUp},
	{"ffn_gate", ffnGate},
	{"ffn_down", ffnDown},
}

func categoryOf(name string) category {
	switch name {
	case outputName:
		return output
	case tokenEmbeddingName, layerTokenEmbeddingName:
		return tokenEmbedding
	}
	for _, c := range categoryParts {
		if strings.Contains(name, c.part) {
			return c.category
		}
	}
	return other
}

// isV reports whether the category has the values of attention in it, alone or
// with others.
func (c category) isV() bool { return c == attnV || c == attnQKV || c == attnKVB }

// Choose returns what each tensor becomes. Tensors come in the order of
// [Compare]: rules count what went before. It returns an error that names the
// tensor where a rule needs what the model does not have.
func Choose(tensors []formats.Info, a Architecture, o Options) ([]Choice, error) {
	m := newMix(tensors, a, o)
	choices := make([]Choice, len(tensors))
	for i := range tensors {
		c, err := m.choose(&tensors[i])
		if err != nil {
			return nil, &formats.Error{Tensor: tensors[i].Name, Err: err}
		}
		choices[i] = c
	}
	return choices, nil
}

func (m *mix) choose(info *formats.Info) (Choice, error) {
	o := &m.options
	if !quantizable(info, &m.arch, o) {
		return Choice{DType: info.DType, Kept: true}, nil
	}
	c := categoryOf(info.Name)
	switch base := o.FType.DType(); {
	case c == tokenEmbedding && o.TokenEmbeddingType != formats.Invalid:
		return Choice{DType: o.TokenEmbeddingType, Fixed: true}, nil
	case c == output && o.OutputType != formats.Invalid:
		return Choice{DType: o.OutputType, Fixed: true}, nil
	case !base.IsQuantized():
		return Choice{DType: base}, nil
	}
	d := o.FType.DType()
	if i := slices.IndexFunc(o.Overrides, func(v Override) bool { return v.Matches(info.Name) }); i >= 0 {
		fixed, err := fallBack(info, o.Overrides[i].DType)
		fixed.Fixed = true
		return fixed, err
	}
	if o.Pure {
		return fallBack(info, d)
	}
	d, err := m.next(info, c)
	if err != nil {
		return Choice{}, err
	}
	return fallBack(info, d)
}

// fallBack returns d, or the format that comes nearest and whose blocks the
// tensor's rows fill.
func fallBack(info *formats.Info, d formats.DType) (Choice, error) {
	cols := info.Shape[len(info.Shape)-1]
	if cols%d.BlockLen() == 0 {
		return Choice{DType: d}, nil
	}
	smaller, ok := fallbacks[d]
	if !ok {
		return Choice{}, formats.Reasonf(formats.ErrUnsupported,
			"rows of %d elements do not fill blocks of %v, and no other format takes its place", cols, d)
	}
	if cols%smaller.BlockLen() != 0 {
		smaller = formats.F16
	}
	return Choice{DType: smaller, Fallback: d}, nil
}

// fallbacks are formats of blocks of 32, for those of longer blocks.
var fallbacks = map[formats.DType]formats.DType{
	formats.IQ1_S:   formats.IQ4_NL,
	formats.IQ1_M:   formats.IQ4_NL,
	formats.IQ2_XXS: formats.IQ4_NL,
	formats.IQ2_XS:  formats.IQ4_NL,
	formats.IQ2_S:   formats.IQ4_NL,
	formats.IQ3_XXS: formats.IQ4_NL,
	formats.IQ3_S:   formats.IQ4_NL,
	formats.IQ4_XS:  formats.IQ4_NL,
	formats.Q2_0:    formats.Q4_0,
	formats.Q2_K:    formats.Q4_0,
	formats.Q3_K:    formats.Q4_0,
	formats.TQ1_0:   formats.Q4_0,
	formats.TQ2_0:   formats.Q4_0,
	formats.Q4_K:    formats.Q5_0,
	formats.Q5_K:    formats.Q5_1,
	formats.Q6_K:    formats.Q8_0,

	formats.Q4_0:   formats.Q4_0,
	formats.Q4_1:   formats.Q4_1,
	formats.Q5_0:   formats.Q5_0,
	formats.Q5_1:   formats.Q5_1,
	formats.Q8_0:   formats.Q8_0,
	formats.IQ4_NL: formats.IQ4_NL,
	formats.MXFP4:  formats.MXFP4,
}

// NeedsImatrix reports whether a tensor must not be quantized to d without an
// importance for its columns: the result would be useless, or there is no
// algorithm.
func NeedsImatrix(name string, d formats.DType, f FType) bool {
	switch d {
	case formats.IQ1_S, formats.IQ2_XXS, formats.IQ2_XS:
		return true
	case formats.IQ1_M, formats.IQ2_S, formats.IQ3_XXS:
	case formats.Q2_K:
		if f != Q2_K_S {
			return false
		}
	default:
		return false
	}
	return name != outputName && name != tokenEmbeddingName
}

// IsTokenEmbedding reports whether a tensor has the embeddings of tokens.
func IsTokenEmbedding(name string) bool { return categoryOf(name) == tokenEmbedding }
