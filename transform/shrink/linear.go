package shrink

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
)

// What a module is can only be told from its name: a checkpoint does not say which of
// its matrices are linear layers. These are the names in use.
var (
	embeddingName = regexp.MustCompile(`(^|\.)(wte|wpe|embed|embed_in|embed_tokens(_\w+)?|embed_positions|tok_embeddings|\w*embeddings?)$`)
	headName      = regexp.MustCompile(`(^|\.)(lm_head|embed_out|output_layer|score|classifier)$`)
	routerName    = regexp.MustCompile(`(^|\.)(gate|router|wg|shared_expert_gate)$|\.(router|gate)\.`)
	normName      = regexp.MustCompile(`(^|\.|_)(norm|layernorm|ln(_\w+)?|layer_norm)\d?$`)
	// Small and sensitive: state space models, encoders of images and sound with what
	// joins them to the text, heads that predict further tokens.
	otherName = regexp.MustCompile(`(^|\.)(x_proj|dt_proj|conv1d|in_proj_[ab]\w*|relative_attention_bias)$|` +
		`(^|\.)(vision_tower|vision_model|visual|vision_encoder|multi_modal_projector|mm_projector|audio_tower|embed_vision|embed_audio|mtp)\.`)
	expertModule = regexp.MustCompile(`^(.*\.experts)\.(\d+)\.(\w+)$`)
)

// A role is what a matrix is for.
type role int

const (
	other  role = iota // no matrix that a linear layer multiplies with
	linear             // to be quantized
	embedding
	head
	router
	sensitive
	experts // of gpt-oss: a stack of matrices
)

// roleOf returns the role of a tensor, and the name of its module.
func roleOf(t *formats.Tensor) (role, string) {
	module, ok := strings.CutSuffix(t.Name, ".weight")
	if !ok || len(t.Shape) != 2 || !t.DType.IsFloat() || formats.Decoder(t.DType) == nil {
		return other, ""
	}
	switch {
	case normName.MatchString(module):
		return other, ""
	case embeddingName.MatchString(module):
		return embedding, module
	case headName.MatchString(module):
		return head, module
	case routerName.MatchString(module):
		return router, module
	case otherName.MatchString(module):
		return sensitive, module
	}
	return linear, module
}

var roleReasons = map[role]string{embedding: "embeddings stay as they are", head: "the output stays as it is",
	router: "routers stay as they are", sensitive: "it is small and sensitive"}

// siblings returns the modules that servers fuse with one, itself included: they must
// share their type, and some of their scales.
func siblings(module string) []string {
	for _, group := range [][]string{{"q_proj", "k_proj", "v_proj"}, {"gate_proj", "up_proj"}, {"w1", "w3"}} {
		for _, name := range group {
			if p, ok := strings.CutSuffix(module, "."+name); ok {
				var all []string
				for _, g := range group {
					all = append(all, p+"."+g)
				}
				return all
			}
		}
	}
	return []string{module}
}

// expertOf divides the name of an expert's module: the stack, its number, the matrix.
func expertOf(module string) (stack string, number int, matrix string, ok bool) {
	m := expertModule.FindStringSubmatch(module)
	if m == nil {
		return "", 0, "", false
	}
	n, err := strconv.Atoi(m[2])
	return m[1], n, m[3], err == nil && strconv.Itoa(n) == m[2]
}
