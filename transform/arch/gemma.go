package arch

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// The Gemma families scale by one plus a norm's weight, GGUF by the weight. The
// output head is always the embedding.

// onePlus is the op of such norms.
type onePlus struct{}

func (onePlus) toGGUF(_ *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	return shift(t, name, 1), nil
}

func (onePlus) toHF(_ *Config, parts []part, name string) (*formats.Tensor, error) {
	return shift(parts[0].tensor, name, -1), nil
}

var gemmaEmbeddings = []rule{
	{hf: "model.embed_tokens.*", gguf: "token_embd.*"},
	{hf: "model.norm.*", gguf: "output_norm.*", op: onePlus{}},
}

// gemmaNorms are the four norms of a layer since Gemma 2.
var gemmaNorms = []rule{
	{hf: "model.layers.#.input_layernorm.*", gguf: "blk.#.attn_norm.*", op: onePlus{}},
	{hf: "model.layers.#.post_attention_layernorm.*", gguf: "blk.#.post_attention_norm.*", op: onePlus{}},
	{hf: "model.layers.#.pre_feedforward_layernorm.*", gguf: "blk.#.ffn_norm.*", op: onePlus{}},
	{hf: "model.layers.#.post_feedforward_layernorm.*", gguf: "blk.#.post_ffw_norm.*", op: onePlus{}},
}

var _ = register(&Architecture{
	Name:       "gemma",
	Classes:    []string{"GemmaForCausalLM"},
	checkpoint: checkpoint{modelType: "gemma", constants: `{"hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": true}`},
	rules: rules(gemmaEmbeddings, attention, gatedMLP, []rule{
		{hf: "model.layers.#.input_layernorm.*", gguf: "blk.#.attn_norm.*", op: onePlus{}},
		{hf: "model.layers.#.post_attention_layernorm.*", gguf: "blk.#.ffn_norm.*", op: onePlus{}},
	}),
	ignored: append([]string{"lm_head.weight"}, buffers...),
	defaults: `{"max_position_embeddings": 8192, "rms_norm_eps": 1e-06, "head_dim": 256, "num_key_value_heads": 16,
		"tie_word_embeddings": true}`,
	keyValues: gemmaKeys,
	finish: func(c *Config, kv *keyValues) {
		kv.uint("tokenizer.ggml.eot_token_id", 107) // <end_of_turn>
		noSpacePrefix(c, kv)
	},
})

var _ = register(&Architecture{
	Name:    "gemma2",
	Classes: []string{"Gemma2ForCausalLM"},
	checkpoint: checkpoint{modelType: "gemma2", constants: `{"hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": true}`,
		restore: queryScale},
	rules:   rules(gemmaEmbeddings, gemmaNorms, attention, gatedMLP),
	ignored: append([]string{"lm_head.weight"}, buffers...),
	defaults: `{"max_position_embeddings": 8192, "rms_norm_eps": 1e-06, "head_dim": 256, "num_key_value_heads": 4,
		"tie_word_embeddings": true, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "sliding_window": 4096}`,
	finish: noSpacePrefix,
	keyValues: func(c *Config, kv *keyValues) error {
		if err := gemmaKeys(c, kv); err != nil {
			return err
		}
		kv.floatOf(c, ".attn_logit_softcapping", "attn_logit_softcapping")
		kv.floatOf(c, ".final_logit_softcapping", "final_logit_softcapping")
		kv.uintOf(c, ".attention.sliding_window", "sliding_window")
		return nil
	},
})

var _ = register(&Architecture{
	Name:    "gemma3",
	Classes: []string{"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
	checkpoint: checkpoint{modelType: "gemma3_text", constants: `{"hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": true}`,
		restore: queryScale},
	rules: rules(gemmaEmbeddings, gemmaNorms, attention, gatedMLP, []rule{
		{hf: "model.layers.#.self_attn.q_norm.*", gguf: "blk.#.attn_q_norm.*", op: onePlus{}},
		{hf: "model.layers.#.self_attn.k_norm.*", gguf: "blk.#.attn_k_norm.*", op: onePlus{}},
	}),
	ignored:  append([]string{"lm_head.weight", "vision_tower.*", "multi_modal_projector.*", "model.vision_tower.*", "model.multi_modal_projector.*"}, buffers...),
	prefixes: []string{"", "language_model."},
	defaults: `{"max_position_embeddings": 131072, "rms_norm_eps": 1e-06, "head_dim": 256, "num_attention_heads": 8,
		"num_key_value_heads": 4, "tie_word_embeddings": true, "sliding_window": 4096, "rope_theta": 1000000.0,
		"rope_local_base_freq": 10000.0}`,
	finish: noSpacePrefix,
	keyValues: func(c *Config, kv *keyValues) error {
		if err := textModel(c, kv); err != nil {
			return err
		}
		if v, ok := c.float("final_logit_softcapping"); ok && v != 0 {
			kv.float(".final_logit_softcapping", v)
		}
		if v, ok := c.int("sliding_window_pattern"); !ok || v != 1 {
			kv.uintOf(c, ".attention.sliding_window", "sliding_window")
		}
		return nil
	},
})

// noSpacePrefix says that text gets no space in front.
func noSpacePrefix(_ *Config, kv *keyValues) { kv.set("tokenizer.ggml.add_space_prefix", false) }

// gemmaKeys adds what Gemma 1 and 2 have, which is not all of a text model.
func gemmaKeys(c *Config, kv *keyValues) error {
	blocks, err := c.need("num_hidden_layers")
	if err != nil {
		return err
	}
	kv.uintOf(c, ".context_length", "max_position_embeddings")
	kv.uintOf(c, ".embedding_length", "hidden_size")
	kv.uint(".block_count", blocks)
	kv.uintOf(c, ".feed_forward_length", "intermediate_size")
	kv.uintOf(c, ".attention.head_count", "num_attention_heads")
	kv.uintOf(c, ".attention.head_count_kv", "num_key_value_heads")
	kv.floatOf(c, ".attention.layer_norm_rms_epsilon", "rms_norm_eps")
	kv.uintOf(c, ".attention.key_length", "head_dim")
	kv.uintOf(c, ".attention.value_length", "head_dim")
	kv.fileType()
	return nil
}

// queryScale sets what queries are scaled by, which llama.cpp knows by the size of
// the model: the size of a head, but in the largest models hidden size by heads.
func queryScale(g *ggufKeys, config *strictjson.Object) error {
	const layersOf27B, layersOf27B3 = 46, 62
	scale, _ := g.int(".attention.key_length")
	if n, _ := g.int(".block_count"); n == layersOf27B || n == layersOf27B3 {
		hidden, _ := g.int(".embedding_length")
		if heads, _ := g.int(".attention.head_count"); heads > 0 {
			scale = hidden / heads
		}
	}
	config.Set("query_pre_attn_scalar", strictjson.Int(scale))
	return nil
}
