package arch

import (
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// Granite is Llama with multipliers, and SmolLM3 with fewer rotary layers. Neither
// tells the size of its heads.

const graniteDefaults = `{"max_position_embeddings": 2048, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "vocab_size": 32000,
	"attention_multiplier": 1.0, "embedding_multiplier": 1.0, "residual_multiplier": 1.0, "logits_scaling": 1.0}`

var _ = register(&Architecture{
	Name:    "granite",
	Classes: []string{"GraniteForCausalLM"},
	checkpoint: checkpoint{
		modelType: "granite",
		renames:   map[string]string{".logit_scale": "logits_scaling"},
		constants: `{"hidden_act": "silu"}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			g.copy(config, "attention_multiplier", ".attention.scale")
			g.copy(config, "embedding_multiplier", ".embedding_scale")
			g.copy(config, "residual_multiplier", ".residual_scale")
			return nil
		},
	},
	rules:    rules(embeddings, llamaAttention, gatedMLP),
	ignored:  buffers,
	defaults: graniteDefaults,
	derive: func(c *Config) error {
		c.remove("head_dim")
		return deriveKVHeads(c)
	},
	extra:  llamaFrequencies,
	family: tokenizer.LlamaLike,
	finish: llamaTokens,
	keyValues: func(c *Config, kv *keyValues) error {
		if err := llamaKeys(c, kv); err != nil {
			return err
		}
		for _, m := range []struct{ key, name string }{
			{".attention.scale", "attention_multiplier"}, {".embedding_scale", "embedding_multiplier"},
			{".residual_scale", "residual_multiplier"}, {".logit_scale", "logits_scaling"},
		} {
			if v, ok := c.float(m.name); ok && v != 0 {
				kv.float(m.key, v)
			}
		}
		return nil
	},
})

var _ = register(&Architecture{
	Name:       "smollm3",
	Classes:    []string{"SmolLM3ForCausalLM"},
	checkpoint: checkpoint{modelType: "smollm3", constants: `{"hidden_act": "silu"}`},
	rules:      rules(embeddings, llamaAttention, gatedMLP),
	ignored:    buffers,
	defaults: `{"max_position_embeddings": 32768, "rms_norm_eps": 1e-06, "rope_theta": 2000000.0, "vocab_size": 128256,
		"num_key_value_heads": 4, "tie_word_embeddings": true}`,
	extra:     llamaFrequencies,
	keyValues: llamaKeys,
	family:    tokenizer.LlamaLike,
	finish:    llamaTokens,
})
