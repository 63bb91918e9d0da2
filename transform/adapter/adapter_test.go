package adapter

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

func TestParseKey(t *testing.T) {
	const q = "model.layers.0.self_attn.q_proj"
	tests := []struct {
		name string
		want Key
	}{
		{"base_model.model." + q + ".lora_A.weight", Key{Module: q, Part: "lora_A", Param: "weight"}},
		{q + ".lora_A.weight", Key{Module: q, Part: "lora_A", Param: "weight"}},
		{"base_model.model.base_model.model." + q + ".lora_A.weight", Key{Module: q, Part: "lora_A", Param: "weight"}},
		{"base_model.model." + q + ".lora_B.default.weight", Key{Module: q, Part: "lora_B", Name: "default", Param: "weight"}},
		{"base_model.model._orig_mod." + q + ".lora_B.weight", Key{Module: q, Part: "lora_B", Param: "weight"}},
		{"module.base_model.model." + q + ".lora_B.bias", Key{Module: q, Part: "lora_B", Param: "bias"}},
		{"base_model.model." + q + ".lora_magnitude_vector", Key{Module: q, Part: "lora_magnitude_vector"}},
		{"base_model.model." + q + ".lora_magnitude_vector.style.weight", Key{Module: q, Part: "lora_magnitude_vector", Name: "style", Param: "weight"}},
		{"base_model.model.model.embed_tokens.lora_embedding_A", Key{Module: "model.embed_tokens", Part: "lora_embedding_A"}},
		{"base_model.model.model.embed_tokens.lora_embedding_A.x", Key{Module: "model.embed_tokens", Part: "lora_embedding_A", Name: "x"}},
		{"base_model.model.mlp.experts.base_layer.lora_A.weight", Key{Module: "mlp.experts", Wrappers: 1, Part: "lora_A", Param: "weight"}},
		{"base_model.model.attention.base_layer.out_proj.lora_A.weight", Key{Module: "attention.out_proj", Part: "lora_A", Param: "weight"}},
		{"base_model.model.lm_head.base_layer.weight", Key{Module: "lm_head", Param: "weight", Saved: true}},
		{"base_model.model.lm_head.weight", Key{Module: "lm_head", Param: "weight"}},
		{"base_model.model.score.modules_to_save.default.weight", Key{Module: "score", Part: "modules_to_save", Param: "default.weight"}},
		{"base_model.model.e.token_adapter.trainable_tokens_delta", Key{Module: "e", Part: "trainable_tokens_delta"}},
		{"base_model.model.e.token_adapter.base_layer.weight", Key{Module: "e", Param: "weight", Saved: true}},
		{"base_model.vera_A", Key{Part: "vera_A"}},
		{"", Key{}},
		{"weight", Key{Param: "weight"}},
	}
	for _, test := range tests {
		if got := ParseKey(test.name); got != test.want {
			t.Errorf("ParseKey(%q) = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	c, err := ParseConfig([]byte(`{"peft_type": "LORA", "r": 4, "lora_alpha": 8,
		"rank_pattern": {"q_proj": 6, "layers.0.*": 2, "proj": 100},
		"alpha_pattern": {"layers\\.\\d+\\.mlp\\.(up|down)_proj": 3, "layers.0.*": 16}}`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		module string
		rank   int
		scale  float64
	}{
		{"model.layers.0.self_attn.q_proj", 6, 16.0 / 6},
		{"model.layers.1.self_attn.q_proj", 6, 8.0 / 6},
		{"model.layers.0.self_attn.k_proj", 2, 8},
		{"model.layers.1.self_attn.k_proj", 4, 2},
		{"model.layers.1.mlp.up_proj", 4, 0.75},
		{"model.layers.0.mlp.up_proj", 2, 1.5}, // the first entry that matches counts
		{"model.layers.10.self_attn.k_proj", 4, 2},
		{"xlayers.0.k_proj", 4, 2}, // whole segments only
	}
	for _, test := range tests {
		if r, s := c.rank(test.module), c.scale(test.module); r != test.rank || s != test.scale {
			t.Errorf("%s: rank %d and scale %v, want %d and %v", test.module, r, s, test.rank, test.scale)
		}
	}
}

func TestParseConfigRefuses(t *testing.T) {
	tests := []struct {
		text, about string
		kind        error
	}{
		{`{`, "JSON", formats.ErrFormat},
		{`[]`, "object", formats.ErrFormat},
		{`{"r": 8}`, "peft_type", formats.ErrFormat},
		{`{"peft_type": "LORA", "r": 8, "r": 4}`, "twice", formats.ErrFormat},
		{`{"peft_type": "LORA", "r": 0}`, "r is 0", formats.ErrFormat},
		{`{"peft_type": "LORA", "r": 2.5}`, "2.5", formats.ErrFormat},
		{`{"peft_type": "LORA", "lora_alpha": NaN}`, "lora_alpha", formats.ErrFormat},
		{`{"peft_type": "LORA", "lora_alpha": null}`, "lora_alpha", formats.ErrFormat},
		{`{"peft_type": "LORA", "rank_pattern": {"(?=q)": 2}}`, `(?=q)`, formats.ErrUnsupported},
		{`{"peft_type": "LORA", "rank_pattern": {"q": 0}}`, "rank_pattern", formats.ErrFormat},
		{`{"peft_type": "LORA", "alpha_pattern": {"(q)\\1": 2}}`, "alpha_pattern", formats.ErrUnsupported},
		{`{"peft_type": "LORA", "use_something_new": 3}`, "use_something_new", formats.ErrUnsupported},
		{`{"peft_type": "LORA", "arrow_config": {"top_k": 3}}`, "Arrow", formats.ErrUnsupported},
		{`{"peft_type": "LORA", "use_bdlora": {"nblocks": 0}}`, "nblocks", formats.ErrFormat},
		{`{"peft_type": "LORA", "layer_replication": [[2, 1]]}`, "layer_replication", formats.ErrFormat},
		{`{"peft_type": "LORA", "trainable_token_indices": [-1]}`, "trainable_token_indices", formats.ErrFormat},
		{`{"peft_type": "POLY"}`, "POLY", formats.ErrUnsupported},
		{`{"peft_type": "lora"}`, "lora", formats.ErrUnsupported},
	}
	for _, test := range tests {
		_, err := ParseConfig([]byte(test.text))
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.about) {
			t.Errorf("ParseConfig(%s): %v, want %v about %q", test.text, err, test.kind, test.about)
		}
	}
	for _, text := range []string{
		`{"peft_type": "LORA"}`,
		`{"peft_type": "LORA", "use_something_new": false, "other": {}, "third": null}`,
		`{"peft_type": "LORA", "lora_alpha": 0.5, "qalora_group_size": 16, "megatron_core": "megatron.core", "loftq_config": {}}`,
	} {
		if _, err := ParseConfig([]byte(text)); err != nil {
			t.Errorf("ParseConfig(%s): %v", text, err)
		}
	}
}

// TestEveryTypeIsKnown has every peft_type of PEFT 0.21.2 either merged or refused
// with a reason.
func TestEveryTypeIsKnown(t *testing.T) {
	for _, name := range strings.Fields(`PROMPT_TUNING MULTITASK_PROMPT_TUNING P_TUNING PREFIX_TUNING LORA ADALORA ADAMSS BOFT ADAPTION_PROMPT IA3
		BEFT LILY LOHA LOKR OFT POLY LN_TUNING VERA FROD PVERA FOURIERFT GLORA XLORA HRA VBLORA UNILORA CPT MISS RANDLORA ROAD TRAINABLE_TOKENS
		HIRA SHIRA C3A WAVEFT OSF DELORA GRALORA CARTRIDGE TINYLORA PSOFT PEANUT SHADOW SUPERTUNING DEFT`) {
		_, merged := tuners[name]
		reason, refused := notMergeable[name]
		if merged == refused || refused && reason == "" {
			t.Errorf("%s: merged %v, refused %v", name, merged, refused)
		}
	}
}

func TestNamesInMemory(t *testing.T) {
	tests := []struct{ kind, disk, memory string }{
		{"mixtral", "model.layers.0.block_sparse_moe.gate.weight", "model.layers.0.mlp.gate.weight"},
		{"llava", "language_model.model.layers.0.mlp.up_proj.weight", "model.language_model.layers.0.mlp.up_proj.weight"},
		{"llava", "language_model.lm_head.weight", "lm_head.weight"},
		{"llava", "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight", "model.vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight"},
		{"llava_next", "image_newline", "model.image_newline"},
		{"qwen2_vl", "visual.blocks.0.attn.qkv.weight", "model.visual.blocks.0.attn.qkv.weight"},
		{"qwen2_vl", "model.layers.0.mlp.up_proj.weight", "model.language_model.layers.0.mlp.up_proj.weight"},
		{"qwen2_vl", "model.visual.merger.mlp.0.weight", "model.visual.merger.mlp.0.weight"},
		{"gpt_neox", "embed_out.weight", "lm_head.weight"},
		{"vit", "vit.encoder.layer.3.attention.output.dense.weight", "vit.layers.3.attention.o_proj.weight"},
		{"vit", "vit.encoder.layer.3.output.dense.weight", "vit.layers.3.mlp.fc2.weight"},
		{"segformer", "segformer.encoder.block.1.0.attention.self.query.weight", "segformer.stages.1.blocks.0.attention.q_proj.weight"},
		{"bert", "bert.embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"},
		{"llama", "model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"},
	}
	for _, test := range tests {
		config, err := parseObject(`{"model_type": "` + test.kind + `"}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := newNamer(config).inMemory(test.disk); got != test.memory {
			t.Errorf("%s: %s is %s in memory, want %s", test.kind, test.disk, got, test.memory)
		}
	}
}

func TestFactorLoads(t *testing.T) {
	// A tensor of shape [4, 6] whose element i is i.
	whole := make([]float32, 24)
	for i := range whole {
		whole[i] = float32(i)
	}
	v := values{Tensor: floats("x", []int{4, 6}, whole)}
	tests := []struct {
		what   string
		f      factor
		lo, hi int
		want   []float32
	}{
		{"rows", rowsOf(v, 6), 1, 2, []float32{6, 7, 8, 9, 10, 11}},
		{"columns", columnsOf(v, 4), 2, 4, []float32{2, 3, 8, 9, 14, 15, 20, 21}},
		{"all columns", columnsOf(v, 4), 0, 6, whole},
		{"experts take turns", factor{values: v, offset: 1, stride: 6, step: 2, rank: 3}, 1, 3, []float32{7, 9, 11, 13, 15, 17}},
		{"one of rank 1", factor{values: v, offset: 2, stride: 6, step: 6, rank: 1}, 0, 4, []float32{2, 8, 14, 20}},
	}
	for _, test := range tests {
		got := make([]float32, len(test.want))
		if err := test.f.load(t.Context(), got, test.lo, test.hi); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.what, got, test.want)
		}
	}
}

func TestCayleyIsARotation(t *testing.T) {
	q := fromTriangle(5, []float32{0.3, -1, 2, 0.5, 0.25, -0.75, 1.5, 3, -2, 0.125})
	r, ok := cayley(q)
	if !ok {
		t.Fatal("I + Q is singular")
	}
	if off := r.times(r.transposed()).plus(-1, identity(5)).norm(); off > 1e-13 {
		t.Errorf("‖RRᵀ − I‖ = %g", off)
	}
	small := newSquare(5).plus(1e-3, q)
	exact, _ := cayley(newSquare(5).plus(-1, small)) // the series is that of the other sign
	if off := neumannCayley(small, 5).plus(-1, exact).norm(); off > 1e-9 {
		t.Errorf("five terms are %g from the transform, of a matrix of norm %g", off, small.norm())
	}
}
