package arch

import (
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/arch/tokenizer"
)

// Phi 3 and 4 keep query, key and value fused, and gate and up; so does GGUF. The
// factors of their long rotary embedding are tensors of their own.
var _ = register(&Architecture{
	Name:    "phi3",
	Classes: []string{"Phi3ForCausalLM"},
	checkpoint: checkpoint{
		modelType: "phi3",
		renames:   map[string]string{".attention.sliding_window": ""},
		constants: `{"hidden_act": "silu"}`,
		restore:   restorePhi,
	},
	rules: rules(embeddings, preNorms, []rule{
		{hf: "model.layers.#.self_attn.qkv_proj.*", gguf: "blk.#.attn_qkv.*"},
		{hf: "model.layers.#.self_attn.o_proj.*", gguf: "blk.#.attn_output.*"},
		{hf: "model.layers.#.mlp.gate_up_proj.*", gguf: "blk.#.ffn_up.*"},
		{hf: "model.layers.#.mlp.down_proj.*", gguf: "blk.#.ffn_down.*"},
	}),
	ignored: buffers,
	defaults: `{"max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
		"rope_theta": 10000.0, "partial_rotary_factor": 1.0}`,
	derive:    deriveKVHeads,
	extra:     phiFactors,
	keyValues: phiKeys,
	family:    tokenizer.Phi,
})

// phiRotary returns how many elements of a head the rotary embedding turns, and
// the context lengths: now, and when the model was trained first.
func phiRotary(c *Config) (dim, context, original int, err error) {
	rope := c.rope()
	hidden, err := c.need("hidden_size", "n_embd")
	if err != nil {
		return 0, 0, 0, err
	}
	n, err := heads(c)
	if err != nil || n == 0 {
		return 0, 0, 0, err
	}
	part, ok := rope.Float("partial_rotary_factor")
	if !ok {
		part = 1
	}
	if context, err = c.need("n_positions", "max_position_embeddings"); err != nil {
		return 0, 0, 0, err
	}
	trained, ok := rope.Int("original_max_position_embeddings")
	if !ok {
		return 0, 0, 0, &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrMismatch, "config.json has no original_max_position_embeddings")}
	}
	return int(part*float64(hidden)) / n, context, int(trained), nil
}

// phiFactors returns the long and short factors, and the factor that attention is
// scaled with: √(1 + ln s/ln original) for a context s times the original.
func phiFactors(c *Config, kv *keyValues) ([]*formats.Tensor, error) {
	rope := c.rope()
	long, short := floats(rope.Array("long_factor")), floats(rope.Array("short_factor"))
	if len(long) == 0 {
		return nil, nil
	}
	dim, context, original, err := phiRotary(c)
	if err != nil {
		return nil, err
	}
	if len(long) != dim/2 || len(short) != dim/2 {
		return nil, &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrMismatch,
			"config.json has %d long and %d short rotary factors where %d were expected", len(long), len(short), dim/2)}
	}
	scale, factor := float64(context)/float64(original), 1.0
	switch kind := rope.String("rope_type"); kind {
	case "su", "longrope":
		if scale > 1 {
			factor = math.Sqrt(1 + math.Log(scale)/math.Log(float64(original)))
		}
	case "yarn":
		if scale > 1 {
			factor = 0.1*math.Log(scale) + 1
		}
	default:
		return nil, &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrUnsupported, "config.json: the rotary scaling %q", kind)}
	}
	kv.float(".rope.scaling.attn_factor", factor)
	return []*formats.Tensor{computedVector("rope_factors_long.weight", long), computedVector("rope_factors_short.weight", short)}, nil
}

func phiKeys(c *Config, kv *keyValues) error {
	dim, context, original, err := phiRotary(c)
	if err != nil {
		return err
	}
	blocks, err := c.need("num_hidden_layers", "n_layer")
	if err != nil {
		return err
	}
	kv.uint(".context_length", context)
	kv.uint(".rope.scaling.original_context_length", original)
	kv.uintOf(c, ".embedding_length", "hidden_size", "n_embd")
	kv.uintOf(c, ".feed_forward_length", "intermediate_size")
	kv.uint(".block_count", blocks)
	kv.uintOf(c, ".attention.head_count", "num_attention_heads", "n_head")
	kv.uintOf(c, ".attention.head_count_kv", "num_key_value_heads", "n_head_kv")
	kv.floatOf(c, ".attention.layer_norm_rms_epsilon", "rms_norm_eps")
	kv.uint(".rope.dimension_count", dim)
	if v, ok := c.fullRope().Float("rope_theta"); ok {
		kv.float(".rope.freq_base", v)
	}
	kv.fileType()
	window, _ := c.int("sliding_window") // 0 tells Phi 4 from Phi 3
	kv.uint(".attention.sliding_window", window)
	return nil
}

// restorePhi undoes phiKeys and phiFactors.
func restorePhi(g *ggufKeys, config *strictjson.Object) error {
	g.copy(config, "original_max_position_embeddings", ".rope.scaling.original_context_length")
	if window, _ := g.int(".attention.sliding_window"); window > 0 {
		config.Set("sliding_window", strictjson.Int(window))
	}
	return g.restorePartialRotary(config, "partial_rotary_factor")
}
