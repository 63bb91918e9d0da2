package arch

import (
	"strconv"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// DeepSeek V2 and V3: multi-head latent attention. GGUF has the two halves of the
// up-projection of keys and values apart, that of the keys transposed, so that it
// can be absorbed into the query. Layers past the last one, which predict further
// tokens, are left out, as llama.cpp does.
var _ = register(&Architecture{
	Name:    "deepseek2",
	Classes: []string{"DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM"},
	checkpoint: checkpoint{
		modelType: "deepseek_v2",
		renames:   map[string]string{".attention.key_length": "", ".attention.head_count_kv": "", ".expert_count": "n_routed_experts"},
		constants: `{"hidden_act": "silu"}`,
		restore:   restoreLatent,
	},
	family: tokenizer.BPE,
	rules: rules(embeddings, preNorms, gatedMLP, stackedExperts, []rule{
		{hf: "model.layers.#.self_attn.q_proj.*", gguf: "blk.#.attn_q.*"},
		{hf: "model.layers.#.self_attn.q_a_proj.*", gguf: "blk.#.attn_q_a.*"},
		{hf: "model.layers.#.self_attn.q_a_layernorm.*", gguf: "blk.#.attn_q_a_norm.*"},
		{hf: "model.layers.#.self_attn.q_b_proj.*", gguf: "blk.#.attn_q_b.*"},
		{hf: "model.layers.#.self_attn.kv_a_proj_with_mqa.*", gguf: "blk.#.attn_kv_a_mqa.*"},
		{hf: "model.layers.#.self_attn.kv_a_layernorm.*", gguf: "blk.#.attn_kv_a_norm.*"},
		{hf: "model.layers.#.self_attn.kv_b_proj.weight", gguf: "blk.#.attn_k_b.weight", op: latentKeys{}},
		{hf: "model.layers.#.self_attn.kv_b_proj.weight", gguf: "blk.#.attn_v_b.weight", op: latentValues{}},
		{hf: "model.layers.#.self_attn.o_proj.*", gguf: "blk.#.attn_output.*"},
		{hf: "model.layers.#.mlp.gate.weight", gguf: "blk.#.ffn_gate_inp.weight"},
		{hf: "model.layers.#.mlp.gate.e_score_correction_bias", gguf: "blk.#.exp_probs_b.bias"},
		{hf: "model.layers.#.mlp.shared_experts.gate_proj.*", gguf: "blk.#.ffn_gate_shexp.*"},
		{hf: "model.layers.#.mlp.shared_experts.up_proj.*", gguf: "blk.#.ffn_up_shexp.*"},
		{hf: "model.layers.#.mlp.shared_experts.down_proj.*", gguf: "blk.#.ffn_down_shexp.*"},
	}),
	ignored:   buffers,
	surplus:   true,
	unadapted: []string{"blk.#.attn_q.*", "blk.#.attn_q_a.*", "blk.#.attn_q_b.*", "blk.#.attn_kv_a_mqa.*", "output.*"},
	defaults: `{"max_position_embeddings": 2048, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "first_k_dense_replace": 0,
		"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128, "n_shared_experts": 2,
		"routed_scaling_factor": 1.0, "n_routed_experts": 64, "moe_intermediate_size": 1407}`,
	derive: func(c *Config) error {
		// In GGUF the latent is one key and value head for all queries.
		c.set("num_key_value_heads", strictjson.Int(1))
		if rotary := c.get("qk_rope_head_dim"); rotary != nil {
			c.set("head_dim", rotary) // what transformers calls so
		}
		return nil
	},
	keyValues: deepseekKeys,
})

// latent returns the sizes of a head's keys without their rotary part, and of its
// values.
func latent(c *Config) (keys, values int, err error) {
	if keys, err = c.need("qk_nope_head_dim"); err != nil {
		return 0, 0, err
	}
	values, err = c.need("v_head_dim")
	return keys, values, err
}

// latentHalf returns the rows [lo, hi) of each head of [heads·size, rank] as
// [heads, hi−lo, rank].
func latentHalf(t *formats.Tensor, name string, size, lo, hi int) (*formats.Tensor, error) {
	rows := t.NumRows()
	if len(t.Shape) != 2 || size == 0 || rows%size != 0 {
		return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "%d rows do not divide into heads of %d", rows, size))
	}
	var runs []run
	for h := range rows / size {
		runs = append(runs, run{t, h*size + lo, h*size + hi})
	}
	return gather(name, []int{rows / size, hi - lo, t.Shape[1]}, runs), nil
}

// latentKeys is the op of the keys' half, latentValues of the values'.
type (
	latentKeys   struct{}
	latentValues struct{}
)

func (latentKeys) toGGUF(c *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	keys, values, err := latent(c)
	if err != nil {
		return nil, err
	}
	half, err := latentHalf(t, name, keys+values, 0, keys)
	if err != nil {
		return nil, err
	}
	return transpose(half, name), nil
}

func (latentValues) toGGUF(c *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	keys, values, err := latent(c)
	if err != nil {
		return nil, err
	}
	return latentHalf(t, name, keys+values, keys, keys+values)
}

// toHF puts the two halves together again, head by head.
func (latentKeys) toHF(_ *Config, parts []part, name string) (*formats.Tensor, error) {
	k, v := transpose(parts[0].tensor, name), parts[1].tensor
	if len(v.Shape) != 3 || k.Shape[0] != v.Shape[0] || k.Shape[2] != v.Shape[2] || k.DType != v.DType {
		return nil, v.Error(formats.Reasonf(formats.ErrMismatch, "%v does not fit %q, %v", &v.Info, parts[0].tensor.Name, &k.Info))
	}
	keys, values := k.Shape[1], v.Shape[1]
	var runs []run
	for h := range k.Shape[0] {
		runs = append(runs, run{k, h * keys, (h + 1) * keys}, run{v, h * values, (h + 1) * values})
	}
	return gather(name, []int{k.Shape[0] * (keys + values), k.Shape[2]}, runs), nil
}

// toHF is never asked: the keys' rule comes first and makes the whole tensor.
func (latentValues) toHF(_ *Config, parts []part, name string) (*formats.Tensor, error) {
	return nil, formats.Reasonf(formats.ErrMismatch, "%s lacks its keys", name)
}

func deepseekKeys(c *Config, kv *keyValues) error {
	if err := textModel(c, kv); err != nil {
		return err
	}
	rank, err := c.need("kv_lora_rank")
	if err != nil {
		return err
	}
	rotary, err := c.need("qk_rope_head_dim")
	if err != nil {
		return err
	}
	keys, values, err := latent(c)
	if err != nil {
		return err
	}
	kv.uintOf(c, ".leading_dense_block_count", "first_k_dense_replace")
	kv.uintOf(c, ".vocab_size", "vocab_size")
	kv.uintOf(c, ".attention.q_lora_rank", "q_lora_rank")
	kv.uint(".attention.kv_lora_rank", rank)
	kv.uint(".attention.key_length", rank+rotary)
	kv.uint(".attention.value_length", rank)
	kv.uint(".attention.key_length_mla", keys+rotary)
	kv.uint(".attention.value_length_mla", values)
	kv.uintOf(c, ".expert_feed_forward_length", "moe_intermediate_size", "intermediate_size")
	kv.uintOf(c, ".expert_count", "n_routed_experts")
	kv.uintOf(c, ".expert_shared_count", "n_shared_experts")
	kv.floatOf(c, ".expert_weights_scale", "routed_scaling_factor")
	if c.get("norm_topk_prob") == true {
		kv.set(".expert_weights_norm", true)
	}
	kv.uint(".rope.dimension_count", rotary)
	if v, ok := c.rope().Float("mscale_all_dim"); ok {
		kv.float(".rope.scaling.yarn_log_multiplier", 0.1*v)
	}
	return nil
}

// restoreLatent undoes deepseekKeys. Routers that score by a sigmoid are those of
// DeepSeek V3.
func restoreLatent(g *ggufKeys, config *strictjson.Object) error {
	rotary, ok1 := g.int(".rope.dimension_count")
	keys, ok2 := g.int(".attention.key_length_mla")
	if !ok1 || !ok2 || keys <= rotary {
		return formats.Reasonf(formats.ErrUnsupported, "its key-values do not tell the sizes of latent attention; it was converted before llama.cpp had them")
	}
	config.Set("qk_rope_head_dim", strictjson.Int(rotary))
	config.Set("qk_nope_head_dim", strictjson.Int(keys-rotary))
	for _, k := range []struct{ name, key string }{
		{"v_head_dim", ".attention.value_length_mla"}, {"q_lora_rank", ".attention.q_lora_rank"}, {"kv_lora_rank", ".attention.kv_lora_rank"},
		{"num_key_value_heads", ".attention.head_count"}, {"first_k_dense_replace", ".leading_dense_block_count"},
		{"n_shared_experts", ".expert_shared_count"}, {"routed_scaling_factor", ".expert_weights_scale"}, {"norm_topk_prob", ".expert_weights_norm"},
	} {
		g.copy(config, k.name, k.key)
	}
	if !config.Has("q_lora_rank") {
		config.Set("q_lora_rank", nil)
	}
	if has(g.model, "blk."+firstSparse(g)+".exp_probs_b.bias") {
		config.Set("architectures", strictjson.Array{"DeepseekV3ForCausalLM"})
		config.Set("model_type", "deepseek_v3")
	}
	switch f, _ := g.int(".expert_gating_func"); f {
	case 1:
		config.Set("scoring_func", "softmax")
	case 2:
		config.Set("scoring_func", "sigmoid")
	}
	if v, ok := g.float(".rope.scaling.yarn_log_multiplier"); ok && config.Object("rope_scaling") != nil {
		// One for the rotation and one for the softmax, which all published models
		// have alike, so that they cancel out in the former.
		scale := strictjson.Float(shortest(float32(v / 0.1)))
		config.Object("rope_scaling").Set("mscale", scale)
		config.Object("rope_scaling").Set("mscale_all_dim", scale)
	}
	return nil
}

// firstSparse returns the number of the first layer with experts.
func firstSparse(g *ggufKeys) string {
	n, _ := g.int(".leading_dense_block_count")
	return strconv.Itoa(n)
}
