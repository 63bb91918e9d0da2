package adapter

import "slices"

// conv1DTypes are the model types with layers of the type Conv1D, which GPT-2
// has for linear ones: their weights are stored [in, out]. PEFT goes by the
// layer's type, whatever fan_in_fan_out says.
var conv1DTypes = []string{"gpt2", "openai-gpt", "imagegpt", "decision_transformer", "clvp", "clvp_decoder"}

// conv1DNames are the names of such layers.
var conv1DNames = []string{"c_attn", "q_attn", "c_proj", "c_fc"}

// isTransposed reports whether a weight is stored [in, out]. Shapes tell unless
// the weight is square; then the architecture does.
func (b *builder) isTransposed(t *Target, in, out int) bool {
	if !t.isMatrix() || t.Shape[0] != in || t.Shape[1] != out {
		return false
	}
	return in != out || b.isConv1D(t)
}

// isConv1D reports whether a weight is that of a Conv1D, going by the
// architecture and the layer's name.
func (b *builder) isConv1D(t *Target) bool {
	module := t.Name[:max(0, len(t.Name)-len(".weight"))]
	if !slices.Contains(conv1DNames, lastSegment(module)) {
		return false
	}
	if len(b.names.types) > 0 {
		return b.names.is(conv1DTypes...)
	}
	return b.looksLikeConv1D()
}

// looksLikeConv1D tells a GPT-2 without a configuration: its fused projection is
// three times as wide as it is high.
func (b *builder) looksLikeConv1D() bool {
	return slices.ContainsFunc(b.targets, func(t *Target) bool {
		return isOrEndsIn(t.Name, "c_attn.weight") && t.isMatrix() && t.Shape[1] == 3*t.Shape[0]
	})
}
