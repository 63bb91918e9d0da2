package arch

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// Falcon and GPT-NeoX fuse query, key and value head by head; GGUF has all queries
// first, then the keys, then the values.

var _ = register(&Architecture{
	Name:    "falcon",
	Classes: []string{"FalconForCausalLM", "RWForCausalLM"},
	restore: falconNorms,
	checkpoint: checkpoint{
		modelType: "falcon",
		renames: map[string]string{".attention.head_count_kv": "num_kv_heads", ".feed_forward_length": "", ".context_length": "",
			".attention.layer_norm_epsilon": "layer_norm_epsilon"},
		constants: `{"parallel_attn": true, "alibi": false}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			groups, _ := g.int(".attention.head_count_kv")
			config.Set("new_decoder_architecture", has(g.model, "blk.0.attn_norm_2.weight"))
			config.Set("multi_query", groups == 1)
			config.Set("bias", has(g.model, "blk.0.attn_qkv.bias"))
			return nil
		},
	},
	family: tokenizer.BPE,
	rules: []rule{
		{hf: "word_embeddings.*", gguf: "token_embd.*"},
		{hf: "h.#.input_layernorm.*", gguf: "blk.#.attn_norm.*"},
		{hf: "h.#.ln_mlp.*", gguf: "blk.#.attn_norm.*"},
		{hf: "h.#.ln_attn.*", gguf: "blk.#.attn_norm_2.*"},
		{hf: "h.#.self_attention.query_key_value.*", gguf: "blk.#.attn_qkv.*", op: grouped(falconHeads)},
		{hf: "h.#.self_attention.dense.*", gguf: "blk.#.attn_output.*"},
		{hf: "h.#.mlp.dense_h_to_4h.*", gguf: "blk.#.ffn_up.*"},
		{hf: "h.#.mlp.dense_4h_to_h.*", gguf: "blk.#.ffn_down.*"},
		{hf: "ln_f.*", gguf: "output_norm.*"},
		{hf: "lm_head.*", gguf: "output.*"},
	},
	prefixes: []string{"transformer.", ""},
	defaults: `{"layer_norm_epsilon": 1e-05, "tie_word_embeddings": true}`,
	keyValues: func(c *Config, kv *keyValues) error {
		width, err := c.need("hidden_size")
		if err != nil {
			return err
		}
		n, groups, err := falconHeads(c)
		if err != nil {
			return err
		}
		kv.uint(".context_length", 2048) // what the models were trained with; config.json does not say
		kv.set(".tensor_data_layout", "jploski")
		kv.uint(".embedding_length", width)
		kv.uint(".feed_forward_length", 4*width)
		kv.uintOf(c, ".block_count", "num_hidden_layers", "n_layer")
		kv.uint(".attention.head_count", n)
		kv.uint(".attention.head_count_kv", groups)
		kv.floatOf(c, ".attention.layer_norm_epsilon", "layer_norm_epsilon")
		kv.fileType()
		return nil
	},
})

// falconHeads returns how many query heads and how many groups of them, each with
// a key and a value head, a model has.
func falconHeads(c *Config) (n, groups int, err error) {
	if n, err = heads(c); err != nil {
		return 0, 0, err
	}
	groups, ok := c.int("num_kv_heads", "n_head_kv")
	if !ok {
		groups = 1
	}
	return n, groups, nil
}

var _ = register(&Architecture{
	Name:    "gptneox",
	Classes: []string{"GPTNeoXForCausalLM"},
	pre:     map[string]string{"gpt-2": "mpt"},
	checkpoint: checkpoint{
		modelType: "gpt_neox",
		constants: `{"hidden_act": "gelu"}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			return g.restorePartialRotary(config, "rotary_pct")
		},
	},
	family: tokenizer.BPE,
	rules: []rule{
		{hf: "gpt_neox.embed_in.*", gguf: "token_embd.*"},
		{hf: "gpt_neox.layers.#.input_layernorm.*", gguf: "blk.#.attn_norm.*"},
		{hf: "gpt_neox.layers.#.post_attention_layernorm.*", gguf: "blk.#.ffn_norm.*"},
		{hf: "gpt_neox.layers.#.attention.query_key_value.*", gguf: "blk.#.attn_qkv.*", op: grouped(func(c *Config) (n, groups int, err error) {
			n, err = heads(c)
			return n, n, err
		})},
		{hf: "gpt_neox.layers.#.attention.dense.*", gguf: "blk.#.attn_output.*"},
		{hf: "gpt_neox.layers.#.mlp.dense_h_to_4h.*", gguf: "blk.#.ffn_up.*"},
		{hf: "gpt_neox.layers.#.mlp.dense_4h_to_h.*", gguf: "blk.#.ffn_down.*"},
		{hf: "gpt_neox.final_layer_norm.*", gguf: "output_norm.*"},
		{hf: "embed_out.*", gguf: "output.*"},
		{hf: "lm_head.*", gguf: "output.*"}, // transformers 5's name of it
	},
	ignored: []string{"gpt_neox.layers.#.attention.bias", "gpt_neox.layers.#.attention.masked_bias", "gpt_neox.layers.#.attention.rotary_emb.inv_freq"},
	defaults: `{"max_position_embeddings": 2048, "layer_norm_eps": 1e-05, "rotary_pct": 0.25,
		"use_parallel_residual": true}`,
	keyValues: func(c *Config, kv *keyValues) error {
		dim, err := evenHeadDim(c)
		if err != nil {
			return err
		}
		part, _ := c.float("rotary_pct", "partial_rotary_factor")
		kv.uintOf(c, ".context_length", "max_position_embeddings")
		kv.uintOf(c, ".embedding_length", "hidden_size")
		kv.uintOf(c, ".block_count", "num_hidden_layers")
		kv.uintOf(c, ".feed_forward_length", "intermediate_size")
		kv.uint(".rope.dimension_count", int(part*float64(dim)))
		kv.uintOf(c, ".attention.head_count", "num_attention_heads")
		kv.set(".use_parallel_residual", c.get("use_parallel_residual") == true)
		kv.floatOf(c, ".attention.layer_norm_epsilon", "layer_norm_eps")
		return nil
	},
})

// grouped returns the order of a fused projection that has, for each group of
// heads, the rows of its queries, one key and one value.
func grouped(counts func(c *Config) (n, groups int, err error)) op {
	return &rowOrder{spans: func(c *Config, shape []int) ([]span, error) {
		n, groups, err := counts(c)
		if err != nil {
			return nil, err
		}
		rows := shape[rowDimension(shape)]
		if groups <= 0 || n%groups != 0 || rows%(n+2*groups) != 0 {
			return nil, formats.Reasonf(formats.ErrMismatch, "%d rows do not divide into %d heads in %d groups", rows, n, groups)
		}
		dim, queries := rows/(n+2*groups), n/groups
		group := (queries + 2) * dim
		var spans []span
		for g := range groups {
			spans = append(spans, span{g * group, g*group + queries*dim})
		}
		for part := range 2 {
			for g := range groups {
				lo := g*group + (queries+part)*dim
				spans = append(spans, span{lo, lo + dim})
			}
		}
		return spans, nil
	}}
}

// falconNorms gives the norm before the feed-forward its name in models that have
// another one before attention.
func falconNorms(tensors []*formats.Tensor) ([]*formats.Tensor, error) {
	two := slices.ContainsFunc(tensors, func(t *formats.Tensor) bool { return strings.Contains(t.Name, ".ln_attn.") })
	out := slices.Clone(tensors)
	for i, t := range out {
		if two && strings.Contains(t.Name, ".input_layernorm.") {
			out[i] = renamed(t, strings.Replace(t.Name, ".input_layernorm.", ".ln_mlp.", 1), t.Shape)
		}
	}
	return out, nil
}
