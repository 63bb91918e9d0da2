package adapter

import (
	"cmp"
	"testing"

	"github.com/loratool/loratool/formats"
)

// FuzzPlan plans adapters with arbitrary configurations and names for a small
// base. Whatever they are, there is a plan or an error.
func FuzzPlan(f *testing.F) {
	for _, config := range []string{
		`{"peft_type": "LORA", "r": 2}`,
		`{"peft_type": "LORA", "r": 2, "use_dora": true, "use_rslora": true, "rank_pattern": {"q_proj": 2, "layers.0.*": 3}}`,
		`{"peft_type": "LORA", "r": 2, "lora_bias": true, "bias": "all", "target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}`,
		`{"peft_type": "LORA", "r": 2, "layer_replication": [[0, 1], [0, 1]], "trainable_token_indices": [3]}`,
		`{"peft_type": "LORA", "r": 1, "target_parameters": ["experts.gate_up_proj"], "init_lora_weights": "olora"}`,
		`{"peft_type": "LORA", "r": 2, "ensure_weight_tying": true, "target_modules": "x|y"}`,
		`{"peft_type": "IA3", "feedforward_modules": ["q_proj"]}`,
		`{"peft_type": "ADALORA", "init_r": 2}`,
		`{"peft_type": "LOHA", "r": 2, "rank_pattern": {"q_proj": 4}}`,
		`{"peft_type": "LOKR", "r": 2, "alpha": 3}`,
		`{"peft_type": "VERA", "r": 2}`,
		`{"peft_type": "OFT", "coft": true, "num_cayley_neumann_terms": 2}`,
		`{"peft_type": "BOFT"}`,
		`{"peft_type": "HRA", "r": 4, "apply_GS": true}`,
		`{"peft_type": "MISS", "init_weights": "bat"}`,
		`{"peft_type": "C3A"}`,
		`{"peft_type": "SHIRA"}`,
		`{"peft_type": "TRAINABLE_TOKENS", "token_indices": [1]}`,
		`{"peft_type": "LN_TUNING"}`,
	} {
		for _, key := range []string{"model.layers.0.q_proj.lora_A.weight", "lm_head.lora_A.weight", "model.embed_tokens.lora_embedding_A",
			"model.layers.0.mlp.experts.lora_A.x.weight", "lm_head.modules_to_save.weight", "model.embed_tokens.token_adapter.trainable_tokens_delta", "score.weight",
			"model.layers.0.q_proj.ia3_l", "model.layers.0.q_proj.lora_A", "model.layers.0.q_proj.hada_w1_a", "model.layers.0.q_proj.lokr_w1", "base_model.vera_A",
			"model.layers.0.q_proj.oft_R.weight", "model.layers.0.q_proj.hra_u", "model.layers.0.q_proj.miss_block", "model.norm.ln_tuning_layers.weight"} {
			f.Add(config, key, 2, 4)
		}
	}
	base := &formats.Model{Path: "base", Format: "safetensors", Files: []formats.Asset{{Name: "config.json",
		Data: []byte(`{"model_type": "gpt2", "tie_word_embeddings": true, "num_hidden_layers": 1, "vocab_size": 8}`)}}}
	for _, x := range []struct {
		name  string
		shape []int
	}{{"model.embed_tokens.weight", []int{8, 4}}, {"model.layers.0.q_proj.weight", []int{4, 4}}, {"model.layers.0.q_proj.bias", []int{4}},
		{"model.layers.0.mlp.experts.0.w1.weight", []int{6, 4}}, {"model.layers.0.mlp.experts.0.w3.weight", []int{6, 4}},
		{"model.layers.0.conv.weight", []int{4, 2, 3}}, {"model.layers.0.stack.down_proj", []int{2, 4, 3}}, {"empty.weight", []int{0, 4}}} {
		info := formats.Info{Name: x.name, DType: formats.F32, Shape: x.shape}
		base.Tensors = append(base.Tensors, floats(x.name, x.shape, make([]float32, info.NumElements())))
	}
	f.Fuzz(func(t *testing.T, config, key string, rows, cols int) {
		c, err := ParseConfig([]byte(config))
		if err != nil || rows < 0 || cols < 0 || rows > 64 || cols > 64 {
			return
		}
		counterpart := ParseKey(key)
		a := floats(key, []int{rows, cols}, make([]float32, rows*cols))
		other := map[string]string{"lora_A": "lora_B", "lora_embedding_A": "lora_embedding_B", "hada_w1_a": "hada_w1_b", "lokr_w1": "lokr_w2", "vera_A": "vera_B"}[counterpart.Part]
		b := floats(join(counterpart.Module, cmp.Or(other, "lora_B")+".weight"), []int{cols, rows}, make([]float32, rows*cols))
		weights := &formats.Model{Path: "adapter", Tensors: []*formats.Tensor{a, b}}
		for _, o := range []Options{{HeadersOnly: true}, {AllowUnmatched: true, GrowVocab: true, BaseIs: BaseOriginal}} {
			plan, err := NewPlan(base, []Weighted{{New(weights, c), 1}}, o)
			if err != nil {
				continue
			}
			for _, target := range plan.Targets {
				for _, op := range target.Ops {
					if target.MatrixRows() == 0 {
						t.Fatalf("%s has an op but no rows", target.Name)
					}
					w, d := make([]float32, target.NumElements()), make([]float32, target.NumElements())
					tile := &Tile{Hi: target.MatrixRows(), Cols: target.MatrixCols, Base: w, W: w}
					_ = op.Delta(t.Context(), tile, d)
				}
			}
		}
	})
}
