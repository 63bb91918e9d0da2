package arch

import (
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// StarCoder2 and StableLM: norms with biases, plain row order.

var _ = register(&Architecture{
	Name:    "starcoder2",
	Classes: []string{"Starcoder2ForCausalLM"},
	pre:     map[string]string{"refact": "starcoder"},
	checkpoint: checkpoint{
		modelType: "starcoder2",
		renames:   map[string]string{".attention.layer_norm_epsilon": "norm_epsilon"},
		constants: `{"hidden_act": "gelu_pytorch_tanh", "use_bias": true}`,
	},
	family: tokenizer.BPE,
	rules: rules(embeddings, preNorms, attention, []rule{
		{hf: "model.layers.#.mlp.c_fc.*", gguf: "blk.#.ffn_up.*"},
		{hf: "model.layers.#.mlp.c_proj.*", gguf: "blk.#.ffn_down.*"},
	}),
	ignored: buffers,
	defaults: `{"max_position_embeddings": 4096, "norm_epsilon": 1e-05, "rope_theta": 10000.0, "num_key_value_heads": 2,
		"tie_word_embeddings": true}`,
	keyValues: textModel,
})

var _ = register(&Architecture{
	Name:    "stablelm",
	Classes: []string{"StableLmForCausalLM", "StableLMEpochForCausalLM"},
	checkpoint: checkpoint{
		modelType: "stablelm",
		constants: `{"hidden_act": "silu"}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			config.Set("use_qkv_bias", has(g.model, "blk.0.attn_q.bias"))
			config.Set("qk_layernorm", has(g.model, "blk.0.attn_q_norm.weight"))
			return g.restorePartialRotary(config, "partial_rotary_factor")
		},
	},
	family: tokenizer.BPE,
	rules: rules(embeddings, preNorms, attention, gatedMLP, []rule{
		{hf: "model.layers.#.self_attn.q_layernorm.norms.@.weight", gguf: "blk.#.attn_q_norm.weight"},
		{hf: "model.layers.#.self_attn.k_layernorm.norms.@.weight", gguf: "blk.#.attn_k_norm.weight"},
	}),
	ignored: buffers,
	defaults: `{"max_position_embeddings": 4096, "layer_norm_eps": 1e-05, "rope_theta": 10000.0, "partial_rotary_factor": 0.25,
		"use_parallel_residual": false}`,
	derive:    deriveKVHeads,
	keyValues: stablelmKeys,
})

func stablelmKeys(c *Config, kv *keyValues) error {
	dim, err := evenHeadDim(c)
	if err != nil {
		return err
	}
	blocks, err := c.need("num_hidden_layers")
	if err != nil {
		return err
	}
	part, _ := c.rope().Float("partial_rotary_factor")
	kv.uintOf(c, ".context_length", "max_position_embeddings")
	kv.uintOf(c, ".embedding_length", "hidden_size")
	kv.uint(".block_count", blocks)
	kv.uintOf(c, ".feed_forward_length", "intermediate_size")
	kv.uint(".rope.dimension_count", int(part*float64(dim)))
	kv.uintOf(c, ".attention.head_count", "num_attention_heads")
	kv.uintOf(c, ".attention.head_count_kv", "num_key_value_heads")
	kv.set(".use_parallel_residual", c.get("use_parallel_residual") == true)
	kv.floatOf(c, ".attention.layer_norm_epsilon", "layer_norm_eps", "norm_eps")
	kv.fileType()
	return nil
}
