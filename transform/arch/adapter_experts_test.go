package arch

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
)

// zeros are the bytes of a tensor of float32 in memory, all zero.
func zeros(name string, shape ...int) *formats.Tensor {
	n := 4
	for _, d := range shape {
		n *= d
	}
	return inBytes(name, formats.F32, make([]byte, n), shape...)
}

func inBytes(name string, d formats.DType, data []byte, shape ...int) *formats.Tensor {
	return formats.NewExtent(formats.Info{Name: name, DType: d, Shape: shape}, formats.NewFile(bytes.NewReader(data), int64(len(data)), "memory"), 0)
}

// TestSideBySide reads every range of rows of B for two experts of three rows and
// rank two.
func TestSideBySide(t *testing.T) {
	from := inBytes("b", formats.U8, []byte{
		0, 10, 1, 11, // rank index 0 of both experts, then 1
		2, 12, 3, 13,
		4, 14, 5, 15,
	}, 3, 4)
	want := []byte{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}
	s := &sideBySide{from, 2}
	for lo := range 6 {
		for hi := lo + 1; hi <= 6; hi++ {
			got := make([]byte, 2*(hi-lo))
			if err := s.ReadRows(context.Background(), got, lo, hi); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want[2*lo:2*hi]) {
				t.Errorf("rows [%d, %d) are %v, want %v", lo, hi, got, want[2*lo:2*hi])
			}
		}
	}
}

// TestExpertRefusals are factors that no GGUF adapter can hold, or that don't fit.
func TestExpertRefusals(t *testing.T) {
	const experts = "base_model.model.model.layers.1.mlp.experts."
	const attention = "base_model.model.model.layers.1.self_attn."
	for _, c := range []struct {
		name, base string
		params     string
		tensors    []*formats.Tensor
		kind       error
		want       string
	}{
		{"levels", "mixtral", `"down_proj", "gate_up_proj"`, []*formats.Tensor{zeros(experts+"lora_A.weight", 16, 32), zeros(experts+"lora_B.weight", 128, 16)},
			formats.ErrMismatch, "factors at 1 levels"},
		{"wrapper of what is not targeted", "mixtral", ``, []*formats.Tensor{zeros(experts+"base_layer.lora_A.weight", 16, 32), zeros(experts+"base_layer.lora_B.weight", 128, 16)},
			formats.ErrMismatch, "factors at 1 levels for the parameters []"},
		{"rank", "mixtral", `"gate_up_proj"`, []*formats.Tensor{zeros(experts+"lora_A.weight", 8, 32), zeros(experts+"lora_B.weight", 128, 8)},
			formats.ErrMismatch, "rank 2 and 8 experts"},
		{"turned", "mixtral", `"gate_up_proj"`, []*formats.Tensor{zeros(experts+"lora_A.weight", 16, 128), zeros(experts+"lora_B.weight", 32, 16)},
			formats.ErrUnsupported, "the other way round"},
		{"latent attention", "deepseek3", ``, []*formats.Tensor{zeros(attention+"kv_a_proj_with_mqa.lora_A.weight", 2, 64), zeros(attention+"kv_a_proj_with_mqa.lora_B.weight", 48, 2)},
			formats.ErrUnsupported, "llama.cpp takes no notice of adapters for blk.1.attn_kv_a_mqa.weight"},
	} {
		config, err := adapter.ParseConfig([]byte(`{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": [], "target_parameters": [` + c.params + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		ad := adapter.New(&formats.Model{Path: "lora", Tensors: c.tensors}, config)
		_, err = AdapterToGGUF(ad, openCheckpoint(t, c.base), F32)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %q", c.name, err, c.want)
		}
	}
}
