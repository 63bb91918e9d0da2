package arch

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// GPT-2 stores the weights of its layers transposed, [in, out].
var _ = register(&Architecture{
	Name:    "gpt2",
	Classes: []string{"GPT2LMHeadModel"},
	checkpoint: checkpoint{
		modelType: "gpt2",
		renames: map[string]string{".embedding_length": "n_embd", ".feed_forward_length": "", ".block_count": "n_layer", ".attention.head_count": "n_head",
			".context_length": "n_positions", ".attention.layer_norm_epsilon": "layer_norm_epsilon"},
		constants: `{"activation_function": "gelu_new"}`,
	},
	family: tokenizer.BPE,
	rules: []rule{
		{hf: "wte.*", gguf: "token_embd.*"},
		{hf: "wpe.*", gguf: "position_embd.*"},
		{hf: "h.#.ln_1.*", gguf: "blk.#.attn_norm.*"},
		{hf: "h.#.attn.c_attn.weight", gguf: "blk.#.attn_qkv.weight", op: turned{}},
		{hf: "h.#.attn.c_attn.bias", gguf: "blk.#.attn_qkv.bias"},
		{hf: "h.#.attn.c_proj.weight", gguf: "blk.#.attn_output.weight", op: turned{}},
		{hf: "h.#.attn.c_proj.bias", gguf: "blk.#.attn_output.bias"},
		{hf: "h.#.ln_2.*", gguf: "blk.#.ffn_norm.*"},
		{hf: "h.#.mlp.c_fc.weight", gguf: "blk.#.ffn_up.weight", op: turned{}},
		{hf: "h.#.mlp.c_fc.bias", gguf: "blk.#.ffn_up.bias"},
		{hf: "h.#.mlp.c_proj.weight", gguf: "blk.#.ffn_down.weight", op: turned{}},
		{hf: "h.#.mlp.c_proj.bias", gguf: "blk.#.ffn_down.bias"},
		{hf: "ln_f.*", gguf: "output_norm.*"},
		{hf: "lm_head.*", gguf: "output.*"},
	},
	ignored:  []string{"h.#.attn.bias", "h.#.attn.masked_bias"},
	prefixes: []string{"transformer.", ""},
	defaults: `{"n_positions": 1024, "layer_norm_epsilon": 1e-05, "tie_word_embeddings": true}`,
	keyValues: func(c *Config, kv *keyValues) error {
		width, err := c.need("n_embd", "hidden_size")
		if err != nil {
			return err
		}
		kv.uintOf(c, ".block_count", "n_layer", "num_hidden_layers")
		kv.uintOf(c, ".context_length", "n_ctx", "n_positions")
		kv.uint(".embedding_length", width)
		kv.uint(".feed_forward_length", 4*width)
		kv.uintOf(c, ".attention.head_count", "n_head", "num_attention_heads")
		kv.floatOf(c, ".attention.layer_norm_epsilon", "layer_norm_epsilon")
		kv.fileType()
		return nil
	},
})

// turned is the op of matrices, or stacks of them, that are transposed.
type turned struct{}

func (turned) toGGUF(_ *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	if len(t.Shape) < 2 || t.DType.BlockLen() != 1 {
		return nil, t.Error(formats.Reasonf(formats.ErrMismatch, "%v can't be transposed", &t.Info))
	}
	return transpose(t, name), nil
}

func (o turned) toHF(c *Config, parts []part, name string) (*formats.Tensor, error) {
	return o.toGGUF(c, parts[0].tensor, name)
}
