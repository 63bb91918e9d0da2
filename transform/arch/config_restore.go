package arch

import (
	"context"
	"slices"
	"strconv"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// checkpoint is what an architecture has to say about config.json beyond
// configKeys.
type checkpoint struct {
	modelType string
	// renames are names in config.json by key, where they differ from configKeys;
	// an empty one leaves the key out.
	renames map[string]string
	// constants are settings that all models of the family have, as a JSON object.
	constants string
	// restore completes a configuration. May be nil.
	restore func(g *ggufKeys, config *strictjson.Object) error
}

// configKeys pairs keys of GGUF with parameters of config.json.
var configKeys = []struct{ key, name string }{
	{".vocab_size", "vocab_size"},
	{".embedding_length", "hidden_size"},
	{".feed_forward_length", "intermediate_size"},
	{".block_count", "num_hidden_layers"},
	{".attention.head_count", "num_attention_heads"},
	{".attention.head_count_kv", "num_key_value_heads"},
	{".attention.key_length", "head_dim"},
	{".context_length", "max_position_embeddings"},
	{".attention.layer_norm_rms_epsilon", "rms_norm_eps"},
	{".attention.layer_norm_epsilon", "layer_norm_eps"},
	{".attention.sliding_window", "sliding_window"},
	{".attention.clamp_kqv", "clip_qkv"},
	{".attn_logit_softcapping", "attn_logit_softcapping"},
	{".final_logit_softcapping", "final_logit_softcapping"},
	{".logit_scale", "logit_scale"},
	{".use_parallel_residual", "use_parallel_residual"},
	{".expert_count", "num_experts"},
	{".expert_used_count", "num_experts_per_tok"},
	{".expert_group_count", "n_group"},
	{".expert_group_used_count", "topk_group"},
	{".expert_feed_forward_length", "moe_intermediate_size"},
	{".expert_shared_feed_forward_length", "shared_expert_intermediate_size"},
	{".rope.freq_base", "rope_theta"},
	{".rope.freq_base_swa", "rope_local_base_freq"},
	{"tokenizer.ggml.bos_token_id", "bos_token_id"},
	{"tokenizer.ggml.eos_token_id", "eos_token_id"},
	{"tokenizer.ggml.padding_token_id", "pad_token_id"},
	{"tokenizer.ggml.token_type_count", "type_vocab_size"},
}

// ggufKeys are the key-values of a model, to be read by keys that begin with a
// point where they are the architecture's.
type ggufKeys struct {
	arch  string
	model *formats.Model
}

// get returns the value of a key as one of JSON; nil if it is absent or an array.
// A float32 becomes the shortest decimal that it is nearest to, which is most
// likely what config.json had.
func (g *ggufKeys) get(key string) strictjson.Value {
	if key[0] == '.' {
		key = g.arch + key
	}
	switch v := g.model.Metadata.Get(key).(type) {
	case uint32:
		return strictjson.Int(int(v))
	case int32:
		return strictjson.Int(int(v))
	case uint64:
		return strictjson.Int(int64(v))
	case float32:
		return strictjson.Float(shortest(v))
	case bool:
		return v
	case string:
		return v
	}
	return nil
}

// shortest returns the number of fewest decimal digits that rounds to v.
func shortest(v float32) float64 {
	f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	return f
}

func (g *ggufKeys) int(key string) (int, bool) {
	n, _ := g.get(key).(strictjson.Number)
	v, ok := n.Int()
	return int(v), ok
}

func (g *ggufKeys) float(key string) (float64, bool) {
	n, ok := g.get(key).(strictjson.Number)
	return n.Float(), ok
}

// copy sets a parameter to the value of a key, if there is one.
func (g *ggufKeys) copy(config *strictjson.Object, name, key string) {
	if v := g.get(key); v != nil {
		config.Set(name, v)
	}
}

// vector returns the numbers of a small tensor, or nil if there is none.
func (g *ggufKeys) vector(name string) ([]float32, error) {
	t := g.model.Tensor(name)
	if t == nil {
		return nil, nil
	}
	x := make([]float32, t.NumElements())
	return x, t.ReadFloats(context.Background(), x, 0, t.NumRows())
}

// configOf returns the config.json that a GGUF model's key-values and tensors tell.
func (a *Architecture) configOf(m *formats.Model) (*strictjson.Object, error) {
	g := &ggufKeys{a.Name, m}
	config := &strictjson.Object{}
	config.Set("architectures", strictjson.Array{a.Classes[0]})
	config.Set("model_type", a.checkpoint.modelType)
	for _, k := range configKeys {
		name := k.name
		if n, ok := a.checkpoint.renames[k.key]; ok {
			name = n
		}
		if name != "" {
			g.copy(config, name, k.key)
		}
	}
	if embedding := m.Tensor("token_embd.weight"); embedding != nil {
		config.Set("vocab_size", strictjson.Int(embedding.NumRows()))
	}
	config.Set("tie_word_embeddings", !has(m, "output.weight"))
	if has(m, "blk.0.attn_q.bias") {
		config.Set("attention_bias", true)
	}
	if err := g.restoreRope(config); err != nil {
		return nil, err
	}
	if a.checkpoint.constants != "" {
		o, err := strictjson.ParseObject([]byte(a.checkpoint.constants))
		if err != nil {
			panic("arch: the constants of " + a.Name + ": " + err.Error())
		}
		for _, c := range o.Members {
			config.Set(c.Key, c.Value)
		}
	}
	if a.checkpoint.restore != nil {
		return config, a.checkpoint.restore(g, config)
	}
	return config, nil
}

// restoreRope undoes ropeKeys, and what llamaFrequencies and phiFactors compute.
func (g *ggufKeys) restoreRope(config *strictjson.Object) error {
	rope := &strictjson.Object{}
	kind, _ := g.get(".rope.scaling.type").(string)
	switch kind {
	case "linear", "yarn":
		rope.Set("rope_type", kind)
		for _, k := range []struct{ name, key string }{
			{"factor", ".rope.scaling.factor"}, {"original_max_position_embeddings", ".rope.scaling.original_context_length"},
			{"extrapolation_factor", ".rope.scaling.yarn_ext_factor"}, {"attention_factor", ".rope.scaling.yarn_attn_factor"},
			{"beta_fast", ".rope.scaling.yarn_beta_fast"}, {"beta_slow", ".rope.scaling.yarn_beta_slow"},
		} {
			g.copy(rope, k.name, k.key)
		}
	}
	long, err := g.vector("rope_factors_long.weight")
	if err != nil {
		return err
	}
	short, err := g.vector("rope_factors_short.weight")
	if err != nil {
		return err
	}
	if long != nil && short != nil {
		rope.Set("rope_type", "longrope")
		rope.Set("long_factor", numbersOf(long))
		rope.Set("short_factor", numbersOf(short))
	}
	frequencies, err := g.vector("rope_freqs.weight")
	if err != nil {
		return err
	}
	if frequencies != nil {
		if rope, err = g.llamaScaling(config, frequencies); err != nil {
			return err
		}
	}
	if len(rope.Members) > 0 {
		config.Set("rope_scaling", rope)
	}
	return nil
}

func numbersOf(x []float32) strictjson.Array {
	out := make(strictjson.Array, len(x))
	for i, v := range x {
		out[i] = strictjson.Float(shortest(v))
	}
	return out
}

// llamaScaling finds the parameters that Llama 3's frequencies were computed with:
// the factor is the largest of them, and the original context length a power of
// two. Where the frequencies are others, they are refused.
func (g *ggufKeys) llamaScaling(config *strictjson.Object, want []float32) (*strictjson.Object, error) {
	for original := 64; original <= 1<<20; original *= 2 {
		rope := &strictjson.Object{}
		rope.Set("rope_type", "llama3")
		rope.Set("factor", strictjson.Float(shortest(slices.Max(want))))
		rope.Set("low_freq_factor", strictjson.Float(1))
		rope.Set("high_freq_factor", strictjson.Float(4))
		rope.Set("original_max_position_embeddings", strictjson.Int(original))
		try := strictjson.Clone(config).(*strictjson.Object)
		try.Set("rope_scaling", rope)
		got, err := llamaFrequencies(&Config{root: try}, nil)
		if err != nil {
			return nil, err
		}
		x := make([]float32, got[0].NumElements())
		if err := got[0].ReadFloats(context.Background(), x, 0, 1); err != nil {
			return nil, err
		}
		// The files of 8192 have the factors of others that turn no element in between.
		if slices.Equal(x, want) {
			return rope, nil
		}
	}
	return nil, &formats.Error{Tensor: "rope_freqs.weight", Err: formats.Reasonf(formats.ErrUnsupported, "its factors are not those of Llama 3's scaling, which is all that a checkpoint can say")}
}

// restorePartialRotary sets which part of a head the rotary embedding turns.
func (g *ggufKeys) restorePartialRotary(config *strictjson.Object, name string) error {
	turned, ok1 := g.int(".rope.dimension_count")
	hidden, ok2 := g.int(".embedding_length")
	n, ok3 := g.int(".attention.head_count")
	if !ok1 || !ok2 || !ok3 || n == 0 || hidden/n == 0 {
		return formats.Reasonf(formats.ErrMismatch, "its key-values do not tell the size of the rotary embedding")
	}
	config.Set(name, strictjson.Float(float64(turned)/float64(hidden/n)))
	return nil
}
