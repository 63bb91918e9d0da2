package arch

import (
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// The Llama family: Llama 1 to 3, Mistral, Mixtral, and everything that took over
// their class. Query and key rows are in llama.cpp's rotary order; the factors of
// Llama 3's frequency scaling are a tensor of their own.
var _ = register(&Architecture{
	Name:    "llama",
	Classes: []string{"LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM", "MixtralForCausalLM"},
	pre:     map[string]string{"refact": "smollm"},
	checkpoint: checkpoint{
		modelType: "llama",
		renames:   map[string]string{".expert_count": "num_local_experts"},
		constants: `{"hidden_act": "silu"}`,
		restore: func(g *ggufKeys, config *strictjson.Object) error {
			if has(g.model, "blk.0.ffn_gate_exps.weight") {
				config.Set("architectures", strictjson.Array{"MixtralForCausalLM"})
				config.Set("model_type", "mixtral")
			}
			return nil
		},
	},
	rules: rules(embeddings, llamaAttention, gatedMLP, []rule{
		{hf: "model.layers.#.block_sparse_moe.gate.*", gguf: "blk.#.ffn_gate_inp.*"},
		{hf: "model.layers.#.block_sparse_moe.experts.@.w1.*", gguf: "blk.#.ffn_gate_exps.*"},
		{hf: "model.layers.#.block_sparse_moe.experts.@.w2.*", gguf: "blk.#.ffn_down_exps.*"},
		{hf: "model.layers.#.block_sparse_moe.experts.@.w3.*", gguf: "blk.#.ffn_up_exps.*"},
		// What transformers calls them since it fused experts. Files have the names above.
		{hf: "model.layers.#.mlp.gate.*", gguf: "blk.#.ffn_gate_inp.*"},
		{hf: "model.layers.#.mlp.experts.gate_up_proj", gguf: "blk.#.ffn_gate_exps.weight", op: slice(0, 2)},
		{hf: "model.layers.#.mlp.experts.gate_up_proj", gguf: "blk.#.ffn_up_exps.weight", op: slice(1, 2)},
		{hf: "model.layers.#.mlp.experts.down_proj", gguf: "blk.#.ffn_down_exps.weight"},
	}),
	ignored:   buffers,
	defaults:  `{"max_position_embeddings": 2048, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "vocab_size": 32000}`,
	derive:    llamaHeads,
	extra:     llamaFrequencies,
	keyValues: llamaKeys,
	family:    tokenizer.LlamaLike,
	finish:    llamaTokens,
})

// llamaTokens adds what the vocabulary's size gives away: CodeLlama's tokens for
// filling in, and that small Granite models begin texts with nothing.
func llamaTokens(c *Config, kv *keyValues) {
	switch size, _ := c.int("vocab_size"); size {
	case 32016:
		kv.uint("tokenizer.ggml.prefix_token_id", 32007)
		kv.uint("tokenizer.ggml.suffix_token_id", 32008)
		kv.uint("tokenizer.ggml.middle_token_id", 32009)
		kv.uint("tokenizer.ggml.eot_token_id", 32010)
	case 49152:
		kv.set("tokenizer.ggml.add_bos_token", false)
	}
}

// llamaHeads fills in what transformers computes: as many key and value heads as
// heads, and heads that divide the hidden size. Mixtral leaves the latter out.
func llamaHeads(c *Config) error {
	if c.root.String("model_type") != "mixtral" {
		if err := deriveHeadDim(c); err != nil {
			return err
		}
	}
	return deriveKVHeads(c)
}

func llamaKeys(c *Config, kv *keyValues) error {
	if err := textModel(c, kv); err != nil {
		return err
	}
	vocabulary, err := c.need("vocab_size")
	if err != nil {
		return err
	}
	kv.uint(".vocab_size", vocabulary)
	dim, err := headDim(c)
	if err != nil {
		return err
	}
	kv.uint(".rope.dimension_count", dim)
	return nil
}

// llamaFrequencies returns the factors by which Llama 3 divides the frequencies of
// its rotary embedding, rope_freqs.weight of [d/2], if the model has such scaling.
// With wavelengths λ = 2π/frequency, factor f, and bounds lo and hi:
//
//	λ < original/hi: 1    λ > original/lo: f
//	between: 1/((1−s)/f + s), s = (original/λ − lo)/(hi − lo)
//
// Every step is rounded to float32, as torch does it; the power is float64, rounded
// once.
func llamaFrequencies(c *Config, _ *keyValues) ([]*formats.Tensor, error) {
	rope := c.fullRope()
	if rope.String("rope_type") != "llama3" {
		return nil, nil
	}
	dim, err := headDim(c)
	if err != nil {
		return nil, err
	}
	number := func(key string, absent float64) float64 {
		if v, ok := rope.Float(key); ok {
			return v
		}
		return absent
	}
	base, factor := number("rope_theta", 10000), number("factor", 8)
	lo, hi := number("low_freq_factor", 1), number("high_freq_factor", 4)
	original := number("original_max_position_embeddings", 8192)
	factors := make([]float32, dim/2)
	for i := range factors {
		exponent := float32(2*i) / float32(dim)
		frequency := 1 / float32(math.Pow(base, float64(exponent)))
		wavelength := float32(2*math.Pi) / frequency
		switch {
		case float64(wavelength) < original/hi:
			factors[i] = 1
		case float64(wavelength) > original/lo:
			factors[i] = float32(factor)
		default:
			s := (float32(original)/wavelength - float32(lo)) / float32(hi-lo)
			stretched := (1 - s) / float32(factor)
			factors[i] = 1 / (stretched + s)
		}
	}
	return []*formats.Tensor{computedVector("rope_freqs.weight", factors)}, nil
}
