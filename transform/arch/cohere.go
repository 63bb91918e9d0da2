package arch

import (
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// Command-R and Command-R7B have one norm a layer, before attention and
// feed-forward, which run side by side.

var cohereRules = rules(embeddings, attention, headNorms, gatedMLP, []rule{
	{hf: "model.layers.#.input_layernorm.*", gguf: "blk.#.attn_norm.*"},
})

var _ = register(&Architecture{
	Name:    "command-r",
	Classes: []string{"CohereForCausalLM"},
	pre:     map[string]string{"refact": "command-r"},
	checkpoint: checkpoint{
		modelType: "cohere",
		constants: `{"hidden_act": "silu"}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			config.Set("use_qk_norm", has(g.model, "blk.0.attn_q_norm.weight"))
			return nil
		},
	},
	family:  tokenizer.BPE,
	rules:   cohereRules,
	ignored: buffers,
	defaults: `{"max_position_embeddings": 8192, "layer_norm_eps": 1e-05, "rope_theta": 500000.0, "logit_scale": 0.0625,
		"tie_word_embeddings": true}`,
	derive: func(c *Config) error {
		// The length that the model was trained with stands under another name.
		if v := c.get("model_max_length"); v != nil {
			c.set("max_position_embeddings", v)
		}
		return deriveKVHeads(c)
	},
	keyValues: func(c *Config, kv *keyValues) error {
		if err := textModel(c, kv); err != nil {
			return err
		}
		kv.floatOf(c, ".logit_scale", "logit_scale")
		kv.set(".rope.scaling.type", "none")
		return nil
	},
})

var _ = register(&Architecture{
	Name:    "cohere2",
	Classes: []string{"Cohere2ForCausalLM"},
	pre:     map[string]string{"refact": "command-r"},
	checkpoint: checkpoint{
		modelType: "cohere2",
		constants: `{"hidden_act": "silu"}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			return g.restorePartialRotary(config, "rotary_pct")
		},
	},
	family:  tokenizer.BPE,
	rules:   cohereRules,
	ignored: buffers,
	defaults: `{"max_position_embeddings": 8192, "layer_norm_eps": 1e-05, "rope_theta": 10000.0, "logit_scale": 0.0625,
		"tie_word_embeddings": true, "sliding_window": 4096, "rotary_pct": 1.0}`,
	derive: func(c *Config) error {
		if err := deriveHeadDim(c); err != nil {
			return err
		}
		return deriveKVHeads(c)
	},
	keyValues: func(c *Config, kv *keyValues) error {
		if err := textModel(c, kv); err != nil {
			return err
		}
		kv.floatOf(c, ".logit_scale", "logit_scale")
		kv.uintOf(c, ".attention.sliding_window", "sliding_window")
		kv.uintOf(c, ".vocab_size", "vocab_size")
		part, _ := c.float("rotary_pct")
		dim, err := evenHeadDim(c)
		if err != nil {
			return err
		}
		kv.uint(".rope.dimension_count", int(part*float64(dim)))
		kv.set(".rope.scaling.type", "none")
		return nil
	},
})
