package arch

import (
	"path"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// keyValues collects a model's key-values, in the order and with the types that
// llama.cpp's converter writes them.
type keyValues struct {
	arch string
	list formats.Metadata
}

// set adds a key, or changes the value of one that is there. A key that begins
// with a point is one of the architecture's: ".block_count".
func (kv *keyValues) set(key string, value any) {
	if key[0] == '.' {
		key = kv.arch + key
	}
	kv.list = kv.list.With(key, value)
}

func (kv *keyValues) uint(key string, v int)      { kv.set(key, uint32(v)) }
func (kv *keyValues) float(key string, v float64) { kv.set(key, float32(v)) }

// uintOf and floatOf copy a parameter, if the configuration has it under one of
// its names.
func (kv *keyValues) uintOf(c *Config, key string, names ...string) {
	if v, ok := c.int(names...); ok {
		kv.uint(key, v)
	}
}

func (kv *keyValues) floatOf(c *Config, key string, names ...string) {
	if v, ok := c.float(names...); ok {
		kv.float(key, v)
	}
}

// textModel adds what all language models have: sizes, heads, rotary embedding,
// norms, experts, and the file's type.
func textModel(c *Config, kv *keyValues) error {
	blocks, err := c.need("n_layers", "num_hidden_layers", "n_layer", "num_layers")
	if err != nil {
		return err
	}
	kv.uint(".block_count", blocks)
	kv.uintOf(c, ".context_length", "max_position_embeddings", "n_ctx", "n_positions", "max_length", "max_sequence_length", "model_max_length")
	kv.uintOf(c, ".embedding_length", "hidden_size", "n_embd", "dim")
	kv.uintOf(c, ".feed_forward_length", "prefix_dense_intermediate_size", "dense_intermediate_size", "intermediate_size", "n_inner", "hidden_dim")
	kv.uintOf(c, ".attention.head_count", "num_attention_heads", "n_head", "n_heads")
	kv.uintOf(c, ".attention.head_count_kv", "num_key_value_heads", "n_kv_heads")
	if c.get("is_causal") == false {
		kv.set(".attention.causal", false)
	}
	if err := ropeKeys(c, kv); err != nil {
		return err
	}
	kv.floatOf(c, ".attention.layer_norm_rms_epsilon", "rms_norm_eps", "norm_eps")
	kv.floatOf(c, ".attention.layer_norm_epsilon", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon")
	kv.uintOf(c, ".expert_count", "num_local_experts", "num_experts", "n_routed_experts")
	kv.uintOf(c, ".expert_used_count", "num_experts_per_tok", "num_experts_per_token", "top_k_experts")
	kv.uintOf(c, ".expert_group_count", "n_group")
	kv.uintOf(c, ".expert_group_used_count", "topk_group")
	if err := gatingKey(c, kv); err != nil {
		return err
	}
	if d, ok := c.int("head_dim"); ok {
		kv.uint(".attention.key_length", d)
		kv.uint(".attention.value_length", d)
	}
	kv.fileType()
	return nil
}

// fileType marks the place of general.file_type, whose number depends on the
// output's number format.
func (kv *keyValues) fileType() { kv.set(fileTypeKey, uint32(0)) }

// pooling adds how an embedder makes one vector of all, as sentence-transformers'
// modules.json leads to it.
func (kv *keyValues) pooling(c *Config) error {
	a := c.model.Asset("modules.json")
	if a == nil {
		return nil
	}
	data, err := a.Read()
	if err != nil {
		return err
	}
	v, err := strictjson.ParsePython(data)
	if err != nil {
		return &formats.Error{Path: a.Path, Err: formats.Reasonf(formats.ErrFormat, "%v", err)}
	}
	list, _ := v.(strictjson.Array)
	for _, m := range list {
		o, _ := m.(*strictjson.Object)
		if !strings.HasSuffix(o.String("type"), "Pooling") {
			continue
		}
		p, err := hf.ReadObject(c.model, path.Join(o.String("path"), "config.json"))
		if err != nil {
			return err
		}
		for _, kind := range []struct {
			key, mode string
			number    int
		}{{"pooling_mode_mean_tokens", "mean", 1}, {"pooling_mode_cls_token", "cls", 2}, {"pooling_mode_lasttoken", "lasttoken", 3}} {
			if p.Bool(kind.key) || p.String("pooling_mode") == kind.mode {
				kv.uint(".pooling_type", kind.number)
				return nil
			}
		}
		return &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrUnsupported, "its pooling is neither mean, cls nor last token")}
	}
	return nil
}

// gatingKey adds how the router's scores become weights of experts.
func gatingKey(c *Config, kv *keyValues) error {
	name, _ := c.get("score_function", "scoring_func", "score_func", "moe_router_activation", "moe_router_activation_func", "expert_selection_fn").(string)
	switch name {
	case "":
	case "softmax":
		kv.uint(".expert_gating_func", 1)
	case "sigmoid":
		kv.uint(".expert_gating_func", 2)
	case "sqrtsoftplus":
		kv.uint(".expert_gating_func", 4)
	default:
		return &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrUnsupported, "config.json: the experts' score function %q", name)}
	}
	return nil
}

// rope returns the parameters of the rotary embedding: rope_parameters or
// rope_scaling, with the keys that older configurations have beside it.
func (c *Config) rope() *strictjson.Object {
	r, _ := c.get("rope_parameters", "rope_scaling").(*strictjson.Object)
	rope := &strictjson.Object{}
	if r != nil {
		rope = strictjson.Clone(r).(*strictjson.Object)
	}
	if rope.Has("full_attention") || rope.Has("sliding_attention") {
		return rope
	}
	adopt := func(key string, names ...string) {
		if v := c.get(names...); v != nil && !rope.Has(key) {
			rope.Set(key, v)
		}
	}
	if v := c.get("local_rope_theta", "rope_local_theta", "rope_theta_local", "swa_rope_theta", "rope_local_base_freq"); v != nil {
		rope.Set("sliding_attention", &strictjson.Object{Members: []strictjson.Member{{Key: "rope_theta", Value: v}}})
	}
	adopt("rope_theta", "global_rope_theta", "rope_global_theta", "rope_theta_global", "rope_theta", "rotary_emb_base")
	if v := rope.Get("type"); v != nil && !rope.Has("rope_type") {
		rope.Set("rope_type", v)
	}
	adopt("partial_rotary_factor", "partial_rotary_factor", "rope_pct", "rope_percent")
	adopt("original_max_position_embeddings", "original_max_position_embeddings")
	return rope
}

// fullRope returns the rotary parameters of full attention, where a model has
// others for sliding windows.
func (c *Config) fullRope() *strictjson.Object {
	rope := c.rope()
	if full := rope.Object("full_attention"); full != nil {
		return full
	}
	return rope
}

// ropeKeys adds the rotary embedding's scaling and base.
func ropeKeys(c *Config, kv *keyValues) error {
	all, full := c.rope(), c.fullRope()
	factor, hasFactor := full.Float("factor")
	switch kind := full.String("rope_type"); {
	case kind == "linear" && hasFactor:
		kv.set(".rope.scaling.type", "linear")
		kv.float(".rope.scaling.factor", factor)
	case kind == "yarn" && hasFactor:
		original, ok := full.Int("original_max_position_embeddings")
		if !ok {
			return &formats.Error{Path: c.path, Err: formats.Reasonf(formats.ErrMismatch, "config.json has no original_max_position_embeddings for its yarn scaling")}
		}
		kv.set(".rope.scaling.type", "yarn")
		kv.float(".rope.scaling.factor", factor)
		kv.uint(".rope.scaling.original_context_length", int(original))
		for _, p := range []struct{ key, name string }{
			{".rope.scaling.yarn_ext_factor", "extrapolation_factor"}, {".rope.scaling.yarn_attn_factor", "attention_factor"},
			{".rope.scaling.yarn_attn_factor", "attn_factor"}, {".rope.scaling.yarn_beta_fast", "beta_fast"}, {".rope.scaling.yarn_beta_slow", "beta_slow"},
		} {
			if v, ok := full.Float(p.name); ok && (p.name != "attn_factor" || !full.Has("attention_factor")) {
				kv.float(p.key, v)
			}
		}
	case kind == "su" || kind == "longrope":
		kv.set(".rope.scaling.type", "longrope")
	}
	if v, ok := full.Float("rope_theta"); ok {
		kv.float(".rope.freq_base", v)
	}
	if v, ok := all.Object("sliding_attention").Float("rope_theta"); ok {
		kv.float(".rope.freq_base_swa", v)
	}
	return nil
}
