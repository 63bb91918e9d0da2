package arch

// The Qwen families. Their rotary embedding is Hugging Face's own on both sides, so
// that no rows move. Experts are stacked; transformers 5 saves them fused.

const qwen2Defaults = `{"max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "rope_theta": 10000.0}`

var _ = register(&Architecture{
	Name:       "qwen2",
	Classes:    []string{"Qwen2ForCausalLM", "Qwen2Model"},
	checkpoint: checkpoint{modelType: "qwen2", constants: `{"hidden_act": "silu"}`},
	rules:      rules(embeddings, preNorms, attention, gatedMLP),
	ignored:    buffers,
	defaults:   qwen2Defaults,
	derive:     deriveKVHeads,
	keyValues:  textModel,
})

var _ = register(&Architecture{
	Name:       "qwen2moe",
	Classes:    []string{"Qwen2MoeForCausalLM"},
	checkpoint: checkpoint{modelType: "qwen2_moe", constants: `{"hidden_act": "silu"}`},
	rules: rules(embeddings, preNorms, attention, gatedMLP, stackedExperts, []rule{
		{hf: "model.layers.#.mlp.gate.*", gguf: "blk.#.ffn_gate_inp.*"},
		{hf: "model.layers.#.mlp.shared_expert_gate.*", gguf: "blk.#.ffn_gate_inp_shexp.*"},
		{hf: "model.layers.#.mlp.shared_expert.gate_proj.*", gguf: "blk.#.ffn_gate_shexp.*"},
		{hf: "model.layers.#.mlp.shared_expert.up_proj.*", gguf: "blk.#.ffn_up_shexp.*"},
		{hf: "model.layers.#.mlp.shared_expert.down_proj.*", gguf: "blk.#.ffn_down_shexp.*"},
	}),
	ignored: buffers,
	defaults: `{"max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "num_experts": 60,
		"num_experts_per_tok": 4, "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632}`,
	derive:    deriveKVHeads,
	keyValues: qwenMoEKeys,
})

var _ = register(&Architecture{
	Name:       "qwen3",
	Classes:    []string{"Qwen3ForCausalLM", "Qwen3Model"},
	checkpoint: checkpoint{modelType: "qwen3", constants: `{"hidden_act": "silu"}`},
	rules:      rules(embeddings, preNorms, attention, headNorms, gatedMLP),
	ignored:    buffers,
	defaults: `{"max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "head_dim": 128,
		"num_key_value_heads": 32}`,
	keyValues: textModel,
})

var _ = register(&Architecture{
	Name:       "qwen3moe",
	Classes:    []string{"Qwen3MoeForCausalLM"},
	checkpoint: checkpoint{modelType: "qwen3_moe", constants: `{"hidden_act": "silu", "norm_topk_prob": true}`},
	rules: rules(embeddings, preNorms, attention, headNorms, gatedMLP, stackedExperts, []rule{
		{hf: "model.layers.#.mlp.gate.*", gguf: "blk.#.ffn_gate_inp.*"},
	}),
	ignored: buffers,
	defaults: `{"max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "num_key_value_heads": 4,
		"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768}`,
	keyValues: qwenMoEKeys,
})

func qwenMoEKeys(c *Config, kv *keyValues) error {
	if err := textModel(c, kv); err != nil {
		return err
	}
	kv.uintOf(c, ".expert_feed_forward_length", "moe_intermediate_size")
	kv.uintOf(c, ".expert_shared_feed_forward_length", "shared_expert_intermediate_size")
	return nil
}
