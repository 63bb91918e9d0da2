package transform

import (
	"context"
	"reflect"
	"testing"

	"github.com/loratool/loratool/formats"
)

func inspected(t *testing.T, m *formats.Model) *Summary {
	t.Helper()
	s, err := Inspect(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestInspectAdapters(t *testing.T) {
	a8, a4, b8 := make([]float32, 8*16), make([]float32, 4*16), make([]float32, 16*8)
	for _, test := range []struct {
		name    string
		config  string
		tensors []*formats.Tensor
		want    *AdapterSummary
	}{
		{
			name:    "a model",
			tensors: []*formats.Tensor{floatTensor("model.layers.0.q_proj.weight", a8, 8, 16)},
		},
		{
			name:   "PEFT",
			config: `{"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8, "lora_alpha": 16, "alpha_pattern": {"q_proj": 4}, "use_rslora": true}`,
			tensors: []*formats.Tensor{
				floatTensor("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", a8, 8, 16),
				floatTensor("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", b8, 16, 8),
				floatTensor("base_model.model.model.layers.1.self_attn.q_proj.lora_A.default.weight", a4, 4, 16),
				floatTensor("base_model.model.model.embed_tokens.lora_embedding_A", a8, 8, 16),
			},
			want: &AdapterSummary{Type: "LORA", Base: "org/base", Ranks: []int{4, 8}, Alphas: []float64{4, 16}, Modules: 3,
				Targets: []string{"embed_tokens", "q_proj"}, Notes: []string{"rsLoRA"}},
		},
		{
			name:   "PEFT's fused experts, whose factors are stacked",
			config: `{"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_parameters": ["mlp.experts.down_proj"]}`,
			tensors: []*formats.Tensor{
				floatTensor("base_model.model.model.layers.0.mlp.experts.lora_A.weight", a8, 8, 16),
			},
			want: &AdapterSummary{Type: "LORA", Ranks: []int{2}, Alphas: []float64{2}, Modules: 1, Targets: []string{"experts"}, Notes: []string{"target_parameters"}},
		},
		{
			name: "kohya",
			tensors: []*formats.Tensor{
				floatTensor("lora_unet_down_blocks_0_to_q.lora_down.weight", a4, 4, 16),
				floatTensor("lora_unet_down_blocks_0_to_q.alpha", []float32{2}),
				floatTensor("lora_te_text_model_mlp.lora_down.weight", a4, 4, 16),
				floatTensor("lora_te_text_model_mlp.alpha", []float32{1}),
			},
			want: &AdapterSummary{Type: "LORA", Ranks: []int{4}, Alphas: []float64{1, 2}, Modules: 2, Targets: []string{"lora_te", "lora_unet"}},
		},
		{
			name:    "GGUF",
			tensors: []*formats.Tensor{floatTensor("blk.3.attn_q.weight.lora_a", a4, 4, 16)},
			want:    &AdapterSummary{Type: "LORA", Ranks: []int{4}, Modules: 1, Targets: []string{"attn_q"}},
		},
		{
			name:    "LoHa",
			tensors: []*formats.Tensor{floatTensor("lora_unet_x.hada_w1_a", a4, 4, 16)},
			want:    &AdapterSummary{Type: "LOHA"},
		},
	} {
		m := modelOf(test.tensors...)
		if test.config != "" {
			m.Files = []formats.Asset{{Name: "adapter_config.json", Data: []byte(test.config)}}
		}
		if got := inspected(t, m).Adapter; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestInspectConfig(t *testing.T) {
	for _, test := range []struct{ config, architecture, quantization string }{
		{`{"architectures": ["A", "B"], "model_type": "c"}`, "A", ""},
		{`{"model_type": "c"}`, "c", ""},
		{`{"quantization_config": {"quant_method": "gptq", "bits": 4}}`, "", "gptq"},
		{`{"quantization_config": {"group_size": 64, "bits": 4}}`, "", "mlx"},
		{`{"quantization_config": {}}`, "", "of a kind that is not named"},
	} {
		m := modelOf(floatTensor("x", []float32{1}, 1))
		m.Files = []formats.Asset{{Name: "config.json", Data: []byte(test.config)}}
		if s := inspected(t, m); s.Architecture != test.architecture || s.Quantization != test.quantization {
			t.Errorf("%s: got %q, %q", test.config, s.Architecture, s.Quantization)
		}
	}
}
