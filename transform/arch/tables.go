package arch

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

	// headNorms normalize queries and keys.
	headNorms = []rule{
		{hf: "model.layers.#.self_attn.q_norm.*", gguf: "blk.#.attn_q_norm.*"},
		{hf: "model.layers.#.self_attn.k_norm.*", gguf: "blk.#.attn_k_norm.*"},
	}

	// stackedExperts are experts that have tensors of their own, as checkpoints have
	// them, or that transformers 5 has fused and stacked already.
	stackedExperts = []rule{
		{hf: "model.layers.#.mlp.experts.@.gate_proj.*", gguf: "blk.#.ffn_gate_exps.*"},
		{hf: "model.layers.#.mlp.experts.@.up_proj.*", gguf: "blk.#.ffn_up_exps.*"},
		{hf: "model.layers.#.mlp.experts.@.down_proj.*", gguf: "blk.#.ffn_down_exps.*"},
		{hf: "model.layers.#.mlp.experts.gate_up_proj", gguf: "blk.#.ffn_gate_exps.weight", op: slice(0, 2)},
		{hf: "model.layers.#.mlp.experts.gate_up_proj", gguf: "blk.#.ffn_up_exps.weight", op: slice(1, 2)},
		{hf: "model.layers.#.mlp.experts.down_proj", gguf: "blk.#.ffn_down_exps.weight"},
	}

	// buffers are computed by the models themselves; old checkpoints hold them.
	buffers = []string{"model.layers.#.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"}
)
