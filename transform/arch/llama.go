package arch

import (
	"bytes"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// The Llama family: Llama 1 to 3, Mistral, Mixtral, and everything that took over
// their class. Query and key rows are in llama.cpp's rotary order; the factors of
// Llama 3's frequency scaling are a tensor of their own.
var _ = register(&Architecture{
	Name:    "llama",
	Classes: []string{"LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM", "MixtralForCausalLM"},
	rules: rules(embeddings, llamaAttention, gatedMLP, []rule{
		{hf: "model.layers.#.block_sparse_moe.gate.*", gguf: "blk.#.ffn_gate_inp.*"},
		{hf: "model.layers.#.block_sparse_moe.experts.@.w1.*", gguf: "blk.#.ffn_gate_exps.*"},
		{hf: "model.layers.#.block_sparse_moe.experts.@.w2.*", gguf: "blk.#.ffn_down_exps.*"},
		{hf: "model.layers.#.block_sparse_moe.experts.@.w3.*", gguf: "blk.#.ffn_up_exps.*"},
	}),
	ignored:   buffers,
	extra:     llamaFrequencies,
	keyValues: llamaKeys,
})

// rules joins tables.
func rules(tables ...[]rule) []rule {
	var out []rule
	for _, t := range tables {
		out = append(out, t...)
	}
	return out
}

// Tables that families share.
var (
	embeddings = []rule{
		{hf: "model.embed_tokens.*", gguf: "token_embd.*"},
		{hf: "model.norm.*", gguf: "output_norm.*"},
		{hf: "lm_head.*", gguf: "output.*"},
	}
	preNorms = []rule{
		{hf: "model.layers.#.input_layernorm.*", gguf: "blk.#.attn_norm.*"},
		{hf: "model.layers.#.post_attention_layernorm.*", gguf: "blk.#.ffn_norm.*"},
	}
	attention = []rule{
		{hf: "model.layers.#.self_attn.q_proj.*", gguf: "blk.#.attn_q.*"},
		{hf: "model.layers.#.self_attn.k_proj.*", gguf: "blk.#.attn_k.*"},
		{hf: "model.layers.#.self_attn.v_proj.*", gguf: "blk.#.attn_v.*"},
		{hf: "model.layers.#.self_attn.o_proj.*", gguf: "blk.#.attn_output.*"},
	}
	llamaAttention = rules(preNorms, []rule{
		{hf: "model.layers.#.self_attn.q_proj.*", gguf: "blk.#.attn_q.*", op: rotaryHalves(heads)},
		{hf: "model.layers.#.self_attn.k_proj.*", gguf: "blk.#.attn_k.*", op: rotaryHalves(kvHeads)},
		{hf: "model.layers.#.self_attn.v_proj.*", gguf: "blk.#.attn_v.*"},
		{hf: "model.layers.#.self_attn.o_proj.*", gguf: "blk.#.attn_output.*"},
	})
	gatedMLP = []rule{
		{hf: "model.layers.#.mlp.gate_proj.*", gguf: "blk.#.ffn_gate.*"},
		{hf: "model.layers.#.mlp.up_proj.*", gguf: "blk.#.ffn_up.*"},
		{hf: "model.layers.#.mlp.down_proj.*", gguf: "blk.#.ffn_down.*"},
	}

	// buffers are computed by the models themselves; old checkpoints hold them.
	buffers = []string{"model.layers.#.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"}
)

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
// Frequencies are float32, as torch has them; the rest is float64, rounded once.
func llamaFrequencies(c *Config) ([]*formats.Tensor, error) {
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
		wavelength := 2 * math.Pi / float64(frequency)
		switch {
		case wavelength < original/hi:
			factors[i] = 1
		case wavelength > original/lo:
			factors[i] = float32(factor)
		default:
			s := (original/wavelength - lo) / (hi - lo)
			factors[i] = float32(1 / ((1-s)/factor + s))
		}
	}
	return []*formats.Tensor{computedVector("rope_freqs.weight", factors)}, nil
}

// computedVector returns an F32 tensor of given numbers.
func computedVector(name string, x []float32) *formats.Tensor {
	data := make([]byte, 4*len(x))
	kernels.EncodeF32(data, x)
	return formats.NewExtent(formats.Info{Name: name, DType: formats.F32, Shape: []int{len(x)}},
		formats.NewFile(bytes.NewReader(data), int64(len(data)), "config.json"), 0)
}

// floats returns the numbers of a JSON array.
func floats(a strictjson.Array) []float32 {
	out := make([]float32, 0, len(a))
	for _, v := range a {
		if n, ok := v.(strictjson.Number); ok {
			out = append(out, float32(n.Float()))
		}
	}
	return out
}
