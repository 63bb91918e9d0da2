package adapter

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
)

// spec makes a model of tensors of float32 given as "name 2x3" each.
func spec(config string, tensors ...string) *formats.Model {
	m := &formats.Model{Path: "test", Format: "safetensors"}
	if config != "" {
		m.Files = []formats.Asset{{Name: "config.json", Data: []byte(config)}}
	}
	for _, t := range tensors {
		name, dims, _ := strings.Cut(t, " ")
		var shape []int
		n := 1
		for d := range strings.SplitSeq(dims, "x") {
			k := 0
			for _, c := range d {
				k = 10*k + int(c-'0')
			}
			shape = append(shape, k)
			n *= k
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%7) - 3
		}
		m.Tensors = append(m.Tensors, floats(name, shape, x))
	}
	return m
}

func weighted(t *testing.T, config string, tensors ...string) Weighted {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return Weighted{New(spec("", tensors...), c), 1}
}

const lora = `{"peft_type": "LORA", "r": 2, "lora_alpha": 4`

func TestPlanRefuses(t *testing.T) {
	base := spec(`{"model_type": "llama", "tie_word_embeddings": false, "num_hidden_layers": 2}`,
		"model.embed_tokens.weight 10x4", "lm_head.weight 10x4", "model.layers.0.q_proj.weight 6x4", "model.layers.1.q_proj.weight 6x4",
		"model.layers.0.q_proj.bias 6", "model.layers.0.conv.weight 6x2x3", "model.norm.weight 4")
	pair := []string{"model.layers.0.q_proj.lora_A.weight 2x4", "model.layers.0.q_proj.lora_B.weight 6x2"}
	with := func(more ...string) []string { return append(slices.Clone(pair), more...) }
	tests := []struct {
		what, config string
		tensors      []string
		about        string
		kind         error
	}{
		{"nothing", `}`, nil, "no tensors", formats.ErrMismatch},
		{"a layer that target_modules selects is missing", `, "target_modules": ["q_proj"]}`, pair, "model.layers.1.q_proj", formats.ErrMismatch},
		{"a name of target_modules has nothing", `, "target_modules": ["q_proj", "lm_head"]}`, with("model.layers.1.q_proj.lora_A.weight 2x4", "model.layers.1.q_proj.lora_B.weight 6x2"), "lm_head", formats.ErrMismatch},
		{"DoRA without magnitudes", `, "use_dora": true}`, pair, "lora_magnitude_vector", formats.ErrMismatch},
		{"magnitudes without DoRA", `}`, with("model.layers.0.q_proj.lora_magnitude_vector 6"), "use_dora", formats.ErrMismatch},
		{"magnitudes of another size", `, "use_dora": true}`, with("model.layers.0.q_proj.lora_magnitude_vector 4"), "output units", formats.ErrMismatch},
		{"a bias that the configuration does not know", `}`, with("model.layers.0.q_proj.lora_B.bias 6"), "lora_bias", formats.ErrMismatch},
		{"a bias that is missing", `, "lora_bias": true}`, pair, "lora_B.bias", formats.ErrMismatch},
		{"a bias of another size", `, "lora_bias": true}`, with("model.layers.0.q_proj.lora_B.bias 5"), "shape", formats.ErrMismatch},
		{"ranks that differ", `}`, []string{pair[0], "model.layers.0.q_proj.lora_B.weight 6x3"}, "rank", formats.ErrMismatch},
		{"a rank of a pattern", `, "rank_pattern": {"q_proj": 3}}`, pair, "rank", formats.ErrMismatch},
		{"factors of one dimension", `}`, []string{"model.layers.0.q_proj.lora_A.weight 8", pair[1]}, "sharded", formats.ErrMismatch},
		{"a part of no LoRA", `}`, with("model.layers.0.q_proj.lora_Z.weight 2"), "lora_Z", formats.ErrMismatch},
		{"mixed names", `}`, []string{"model.layers.0.q_proj.lora_A.one.weight 2x4", "model.layers.0.q_proj.lora_B.two.weight 6x2"}, "several adapters", formats.ErrMismatch},
		{"the same twice", `}`, with("base_model.model.model.layers.0.q_proj.lora_A.weight 2x4"), "the same", formats.ErrMismatch},
		{"a vocabulary of factors that is larger", `}`, []string{"model.embed_tokens.lora_embedding_A 2x12", "model.embed_tokens.lora_embedding_B 4x2"}, "vocabulary", formats.ErrMismatch},
		{"a head that is larger", `}`, []string{"lm_head.lora_A.weight 2x4", "lm_head.lora_B.weight 12x2"}, "vocabulary", formats.ErrMismatch},
		{"a parameter that is nowhere", `}`, with("model.other.weight 3"), "model.other.weight", formats.ErrMismatch},
		{"a parameter of another shape", `}`, with("model.norm.weight 5"), "shape", formats.ErrMismatch},
		{"trained rows of nothing", `}`, with("model.embed_tokens.token_adapter.trainable_tokens_delta 2x4"), "trainable_token_indices", formats.ErrMismatch},
		{"trained rows outside", `, "trainable_token_indices": [1, 10]}`, with("model.embed_tokens.token_adapter.trainable_tokens_delta 2x4"), "row 10", formats.ErrMismatch},
		{"trained rows twice", `, "trainable_token_indices": [1, 1]}`, with("model.embed_tokens.token_adapter.trainable_tokens_delta 2x4"), "twice", formats.ErrMismatch},
		{"trained rows that are missing", `, "trainable_token_indices": {"lm_head": [1]}}`, pair, "lm_head", formats.ErrMismatch},
		{"a kernel of another size", `}`, []string{"model.layers.0.conv.lora_A.weight 2x2x5", "model.layers.0.conv.lora_B.weight 6x2x1"}, "shape", formats.ErrMismatch},
		{"groups", `}`, []string{"model.layers.0.conv.lora_A.weight 2x4x3", "model.layers.0.conv.lora_B.weight 6x1x1"}, "group", formats.ErrUnsupported},
		{"layers that are not there", `, "layer_replication": [[0, 3]]}`, pair, "layer_replication", formats.ErrMismatch},
		{"an unknown initialisation", `, "init_lora_weights": "novel"}`, pair, "novel", formats.ErrUnsupported},
		{"KaSA without a word about the base", `, "kasa_config": {}}`, with("model.layers.0.q_proj.lora_diag 2"), "kasa", formats.ErrUnsupported},
	}
	for _, test := range tests {
		_, err := NewPlan(base, []Weighted{weighted(t, lora+test.config, test.tensors...)}, Options{})
		if !errors.Is(err, test.kind) || err != nil && !strings.Contains(err.Error(), test.about) {
			t.Errorf("%s: %v, want %v about %q", test.what, err, test.kind, test.about)
		}
	}
	if _, err := NewPlan(base, []Weighted{weighted(t, lora+`}`, pair...)}, Options{}); err != nil {
		t.Errorf("the adapter that all others are made of: %v", err)
	}
}

func TestTwoThatReplaceOneTensor(t *testing.T) {
	base := spec("", "lm_head.weight 10x4", "model.layers.0.q_proj.weight 6x4")
	one := weighted(t, lora+`, "modules_to_save": ["lm_head"]}`, "lm_head.weight 10x4")
	two := weighted(t, lora+`, "modules_to_save": ["lm_head"]}`, "lm_head.weight 10x4")
	if _, err := NewPlan(base, []Weighted{one, two}, Options{}); err != nil {
		t.Errorf("with the same values: %v", err)
	}
	two.Weights.Tensors[0] = floats("lm_head.weight", []int{10, 4}, make([]float32, 40))
	if _, err := NewPlan(base, []Weighted{one, two}, Options{}); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("with others: %v, want a refusal", err)
	}
	one.Strength, two.Strength = 0.5, 0.5
	plan, err := NewPlan(base, []Weighted{one, two}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(plan.Targets[0].Ops); got != 2 {
		t.Errorf("%d ops with strengths of a half, want 2", got)
	}
}

// TestTiedEmbeddings plans adapters of a tied model: which tensors come out, which
// change, and whether config.json says that they are tied.
func TestTiedEmbeddings(t *testing.T) {
	const tied, silent, untied = `{"tie_word_embeddings": true}`, `{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}`, `{"tie_word_embeddings": false}`
	onEmbedding := []string{"model.embed_tokens.lora_embedding_A 2x10", "model.embed_tokens.lora_embedding_B 4x2"}
	onHead := []string{"lm_head.lora_A.weight 2x4", "lm_head.lora_B.weight 10x2"}
	both := append(slices.Clone(onEmbedding), onHead...)
	tests := []struct {
		what, config, adapter string
		tensors               []string
		head                  bool // whether the base has one on disk
		embedding, headOps    int  // ops; -1 for a tensor that does not come out
		tie                   any  // tie_word_embeddings afterwards
	}{
		{"the embedding alone", tied, `}`, onEmbedding, false, 1, 0, false},
		{"the head alone", tied, `}`, onHead, false, 0, 1, false},
		{"the head alone, with nothing said", silent, `}`, onHead, false, 0, 1, false},
		{"each its own", tied, `}`, both, false, 1, 1, false},
		{"as one", tied, `, "ensure_weight_tying": true}`, both, false, 1, -1, true},
		{"the head's name for both", tied, `, "ensure_weight_tying": true}`, onHead, false, 1, -1, true},
		{"tokens of both", tied, `, "trainable_token_indices": [3]}`, []string{"model.embed_tokens.token_adapter.trainable_tokens_delta 1x4"}, false, 1, -1, true},
		{"tokens of each", tied, `, "trainable_token_indices": {"embed_tokens": [3], "lm_head": [4]}}`, []string{
			"model.embed_tokens.token_adapter.trainable_tokens_delta 1x4", "lm_head.token_adapter.trainable_tokens_delta 1x4"}, false, 1, 1, false},
		{"a copy of the head on disk", tied, `}`, onEmbedding, true, 1, 0, false},
		{"tokens with a copy of the head on disk", tied, `, "trainable_token_indices": [3]}`, []string{"model.embed_tokens.token_adapter.trainable_tokens_delta 1x4"}, true, 1, 1, true},
		{"a head of its own", untied, `}`, onEmbedding, true, 1, 0, false},
	}
	for _, test := range tests {
		tensors := []string{"model.embed_tokens.weight 10x4", "model.layers.0.q_proj.weight 6x4"}
		if test.head {
			tensors = append(tensors, "lm_head.weight 10x4")
		}
		plan, err := NewPlan(spec(test.config, tensors...), []Weighted{weighted(t, lora+test.adapter, test.tensors...)}, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		ops := map[string]int{"lm_head.weight": -1}
		for _, target := range plan.Targets {
			ops[target.Name] = len(target.Ops)
		}
		if ops["model.embed_tokens.weight"] != test.embedding || ops["lm_head.weight"] != test.headOps {
			t.Errorf("%s: ops %v, want %d and %d", test.what, ops, test.embedding, test.headOps)
		}
		if got := plan.Config.Get("tie_word_embeddings"); got != test.tie {
			t.Errorf("%s: tie_word_embeddings is %v, want %v", test.what, got, test.tie)
		}
	}
	_, err := NewPlan(spec(untied, "model.embed_tokens.weight 10x4"), []Weighted{weighted(t, lora+`}`, onHead...)}, Options{})
	if !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("a head that is neither tied nor there: %v, want a refusal", err)
	}
	_, err = NewPlan(spec(`{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}`, "shared.weight 10x4"), []Weighted{weighted(t, lora+`}`, onHead...)}, Options{})
	if !errors.Is(err, formats.ErrUnsupported) {
		t.Errorf("a T5: %v, want a refusal", err)
	}
}

func TestPrefixes(t *testing.T) {
	tests := []struct{ base, adapter string }{
		{"model.layers.0.q_proj", "model.layers.0.q_proj"},
		{"model.layers.0.q_proj", "model.model.layers.0.q_proj"},
		{"model.layers.0.q_proj", "layers.0.q_proj"},
		{"layers.0.q_proj", "model.layers.0.q_proj"},
		{"h.0.q_proj", "transformer.h.0.q_proj"},
		{"vision_model.layers.0.q_proj", "layers.0.q_proj"},
		{"model.layers.0.q_proj", "_orig_mod.model.layers.0.q_proj"},
		{"model.layers.0.q_proj", "module.model.layers.0.q_proj"},
		{"model.layers.0.q_proj", "base_model.model.model.layers.0.q_proj"},
		{"model.layers.0.q_proj", "base_model.model.base_model.model.model.layers.0.q_proj"},
	}
	for _, test := range tests {
		plan, err := NewPlan(spec("", test.base+".weight 6x4", "other.weight 3"), []Weighted{
			weighted(t, lora+`}`, test.adapter+".lora_A.weight 2x4", test.adapter+".lora_B.weight 6x2")}, Options{})
		if err != nil || len(plan.Targets[0].Ops) != 1 {
			t.Errorf("%s on %s: %v", test.adapter, test.base, err)
		}
	}
}

func TestFusedExpertsNest(t *testing.T) {
	base := spec(`{"model_type": "mixtral"}`, "m.block_sparse_moe.experts.0.w1.weight 6x4", "m.block_sparse_moe.experts.0.w2.weight 4x6", "m.block_sparse_moe.experts.0.w3.weight 6x4",
		"m.block_sparse_moe.experts.1.w1.weight 6x4", "m.block_sparse_moe.experts.1.w2.weight 4x6", "m.block_sparse_moe.experts.1.w3.weight 6x4")
	inner := []string{"m.mlp.experts.base_layer.lora_A.weight 4x4", "m.mlp.experts.base_layer.lora_B.weight 12x4"}
	outer := []string{"m.mlp.experts.lora_A.weight 4x6", "m.mlp.experts.lora_B.weight 4x4"}
	onlyGate := []string{"m.mlp.experts.lora_A.weight 4x4", "m.mlp.experts.lora_B.weight 12x4"}
	tests := []struct {
		params  string
		tensors []string
		ok      bool
	}{
		{`["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]`, append(slices.Clone(inner), outer...), true},
		{`["mlp.experts.down_proj", "mlp.experts.gate_up_proj"]`, append(slices.Clone(outer), inner...), true},
		{`["mlp.experts.gate_up_proj"]`, onlyGate, true},
		{`["mlp.experts.down_proj"]`, outer, true},
		{`["mlp.experts.down_proj"]`, onlyGate, false},
		{`["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]`, outer, false},
		{`["mlp.experts.gate_up_proj"]`, inner, false},
	}
	for _, test := range tests {
		_, err := NewPlan(base, []Weighted{weighted(t, lora+`, "target_parameters": `+test.params+`}`, test.tensors...)}, Options{})
		if (err == nil) != test.ok {
			t.Errorf("%s with %v: %v", test.params, test.tensors, err)
		}
	}
}
