package recipe

import (
	"strings"

	"github.com/loratool/loratool/formats"
)

// Small tensors whose errors spread through the whole model, and tensors that
// are no matrices of a product, are never quantized. They are told by their names.
var (
	// keptWholly are complete names.
	keptWholly = []string{"position_embd.weight", "token_types.weight"}

	// keptParts are parts of names.
	keptParts = []string{
		"_norm.weight",
		"ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", // routers of experts
		"altup", "laurel", "per_layer_model_proj", // Gemma 3n
		"ssm_conv1d", "shortconv.conv.weight",
		"indexer.k_proj.weight", "indexer.q_proj.weight", // DeepSeek's sparse attention
		"attn_rel_b.weight",
		// RWKV
		"time_mix_first.weight", "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight",
		"time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight",
		"time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight",
		"time_mix_g1.weight", "time_mix_g2.weight",
		"time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight",
		// vision
		".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd", ".patch_merger",
		// audio
		"a.rvq.codebook", "mm.a.code_embd",
	}

	// keptPartsGLM5 are parts of names in the architecture glm5-next.
	keptPartsGLM5 = []string{
		"hc_", "indexer.attn_q_b", "indexer.attn_k", "indexer.proj",
		"indexer_compressor_gate", "indexer_compressor_ape",
		"ssm_f_a", "ssm_f_b", "ssm_g_a", "ssm_g_b", "ssm_beta",
		"attn_kv_a_mqa", "attn_k_b", "attn_v_b",
	}
)

const glm5 = "glm5-next"

// quantizable reports whether a recipe may change a tensor's format.
func quantizable(info *formats.Info, a *Architecture, o *Options) bool {
	switch name := info.Name; {
	case o.FType == Copy, numDims(info) < 2, !strings.HasSuffix(name, "weight"):
		return false
	case name == outputName && o.LeaveOutput:
		return false
	case containsAny(name, keptParts), equalsAny(name, keptWholly):
		return false
	case a.Name == glm5 && containsAny(name, keptPartsGLM5):
		return false
	}
	return true
}

// numDims returns the number of dimensions, not counting outer ones of length 1.
func numDims(info *formats.Info) int {
	for i, d := range info.Shape {
		if d != 1 {
			return len(info.Shape) - i
		}
	}
	return 1
}

func containsAny(name string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(name, p) {
			return true
		}
	}
	return false
}

func equalsAny(name string, names []string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
