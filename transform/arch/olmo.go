package arch

import "github.com/loratool/loratool/transform/arch/tokenizer"

// OLMo 1 has norms without weights and Llama's row order; OLMo 2 normalizes after
// each block, and its row order is Hugging Face's own.

var _ = register(&Architecture{
	Name:       "olmo",
	Classes:    []string{"OlmoForCausalLM", "OLMoForCausalLM"},
	pre:        map[string]string{"gpt-2": "olmo"},
	checkpoint: checkpoint{modelType: "olmo", renames: map[string]string{".attention.layer_norm_epsilon": ""}, constants: `{"hidden_act": "silu"}`},
	family:     tokenizer.BPE,
	rules:      rules(embeddings, llamaAttention, gatedMLP),
	ignored:    buffers,
	defaults:   `{"max_position_embeddings": 2048, "rope_theta": 10000.0}`,
	derive:     deriveKVHeads,
	keyValues:  olmoKeys,
})

func olmoKeys(c *Config, kv *keyValues) error {
	if err := textModel(c, kv); err != nil {
		return err
	}
	kv.float(".attention.layer_norm_epsilon", 1e-5)
	kv.floatOf(c, ".attention.clamp_kqv", "clip_qkv")
	return nil
}

var _ = register(&Architecture{
	Name:       "olmo2",
	Classes:    []string{"Olmo2ForCausalLM"},
	checkpoint: checkpoint{modelType: "olmo2", constants: `{"hidden_act": "silu"}`},
	family:     tokenizer.BPE,
	rules: rules(embeddings, attention, headNorms, gatedMLP, []rule{
		{hf: "model.layers.#.post_attention_layernorm.*", gguf: "blk.#.post_attention_norm.*"},
		{hf: "model.layers.#.post_feedforward_layernorm.*", gguf: "blk.#.post_ffw_norm.*"},
	}),
	ignored:   buffers,
	defaults:  `{"max_position_embeddings": 2048, "rms_norm_eps": 1e-05, "rope_theta": 10000.0}`,
	derive:    deriveKVHeads,
	keyValues: textModel,
})
