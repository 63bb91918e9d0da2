package arch

import (
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// BERT and Nomic-BERT embedders: encoders whose heads for pre-training, and whose
// pooling layer, are left out.

var bertRules = []rule{
	{hf: "embeddings.word_embeddings.*", gguf: "token_embd.*"},
	{hf: "embeddings.position_embeddings.*", gguf: "position_embd.*"},
	{hf: "embeddings.token_type_embeddings.*", gguf: "token_types.*"},
	{hf: "embeddings.LayerNorm.*", gguf: "token_embd_norm.*"},
	{hf: "encoder.layer.#.attention.self.query.*", gguf: "blk.#.attn_q.*"},
	{hf: "encoder.layer.#.attention.self.key.*", gguf: "blk.#.attn_k.*"},
	{hf: "encoder.layer.#.attention.self.value.*", gguf: "blk.#.attn_v.*"},
	{hf: "encoder.layer.#.attention.output.dense.*", gguf: "blk.#.attn_output.*"},
	{hf: "encoder.layer.#.attention.output.LayerNorm.*", gguf: "blk.#.attn_output_norm.*"},
	{hf: "encoder.layer.#.intermediate.dense.*", gguf: "blk.#.ffn_up.*"},
	{hf: "encoder.layer.#.output.dense.*", gguf: "blk.#.ffn_down.*"},
	{hf: "encoder.layer.#.output.LayerNorm.*", gguf: "blk.#.layer_output_norm.*"},
}

var _ = register(&Architecture{
	Name:    "bert",
	Classes: []string{"BertModel", "BertForMaskedLM"},
	checkpoint: checkpoint{
		modelType: "bert",
		constants: `{"hidden_act": "gelu"}`,
		restore:   restoreEncoder,
	},
	family:   tokenizer.WordPiece,
	rules:    bertRules,
	ignored:  []string{"embeddings.position_ids", "pooler.dense.*", "cls.predictions.*", "cls.seq_relationship.*"},
	prefixes: []string{"", "bert."},
	defaults: `{"max_position_embeddings": 512, "layer_norm_eps": 1e-12, "type_vocab_size": 2}`,
	keyValues: func(c *Config, kv *keyValues) error {
		if err := textModel(c, kv); err != nil {
			return err
		}
		kv.set(".attention.causal", false)
		return kv.pooling(c)
	},
})

var _ = register(&Architecture{
	Name:    "nomic-bert",
	Classes: []string{"NomicBertModel"},
	checkpoint: checkpoint{
		modelType: "nomic_bert",
		renames: map[string]string{".embedding_length": "n_embd", ".feed_forward_length": "n_inner", ".block_count": "n_layer", ".attention.head_count": "n_head",
			".context_length": "max_trained_positions", ".attention.layer_norm_epsilon": "layer_norm_epsilon", ".rope.freq_base": "rotary_emb_base"},
		constants: `{"activation_function": "swiglu", "causal": false, "prenorm": false, "use_rms_norm": false, "n_positions": 8192,
			"qkv_proj_bias": false, "mlp_fc1_bias": false, "mlp_fc2_bias": false, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": false,
			"rotary_emb_scale_base": null}`,
		restore: restoreEncoder,
	},
	family: tokenizer.WordPiece,
	rules: []rule{
		{hf: "embeddings.word_embeddings.*", gguf: "token_embd.*"},
		{hf: "embeddings.token_type_embeddings.*", gguf: "token_types.*"},
		{hf: "emb_ln.*", gguf: "token_embd_norm.*"},
		{hf: "encoder.layers.#.attn.Wqkv.*", gguf: "blk.#.attn_qkv.*"},
		{hf: "encoder.layers.#.attn.out_proj.*", gguf: "blk.#.attn_output.*"},
		{hf: "encoder.layers.#.norm1.*", gguf: "blk.#.attn_output_norm.*"},
		{hf: "encoder.layers.#.mlp.fc11.*", gguf: "blk.#.ffn_up.*"},
		{hf: "encoder.layers.#.mlp.fc12.*", gguf: "blk.#.ffn_gate.*"},
		{hf: "encoder.layers.#.mlp.fc2.*", gguf: "blk.#.ffn_down.*"},
		{hf: "encoder.layers.#.norm2.*", gguf: "blk.#.layer_output_norm.*"},
	},
	prefixes: []string{"", "bert."},
	ignored:  []string{"cls.predictions.*", "pooler.dense.*"},
	defaults: `{"layer_norm_epsilon": 1e-12, "type_vocab_size": 2, "rotary_emb_base": 1000.0}`,
	derive: func(c *Config) error {
		// The checkpoints speak of the length that they can be stretched to; they
		// were trained with this.
		if n, ok := c.int("n_positions"); ok && n == 8192 {
			c.set("n_positions", strictjson.Int(2048))
		}
		return nil
	},
	keyValues: func(c *Config, kv *keyValues) error {
		if err := textModel(c, kv); err != nil {
			return err
		}
		kv.set(".attention.causal", false)
		return kv.pooling(c)
	},
})

// restoreEncoder says what encoders have no keys for.
func restoreEncoder(g *ggufKeys, config *strictjson.Object) error {
	config.Delete("tie_word_embeddings")
	config.Delete("attention_bias")
	if _, ok := g.int("tokenizer.ggml.token_type_count"); !ok {
		config.Set("type_vocab_size", strictjson.Int(1))
	}
	return nil
}
