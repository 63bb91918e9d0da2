package transform_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/arch"
)

// TestRowOrders says for each family that three ways agree: an adapter merged into
// the checkpoint, which is converted then; merged into the converted checkpoint;
// and converted itself, as the products of its factors. The first two must be
// equal bit for bit.
func TestRowOrders(t *testing.T) {
	cases, err := os.ReadDir("../testdata/convert")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if !c.IsDir() || strings.HasSuffix(c.Name(), "mxfp4") { // which is the same but for its experts
			continue
		}
		t.Run(c.Name(), func(t *testing.T) {
			base := openModel(t, filepath.Join("..", "testdata", "convert", c.Name(), "hf"))
			checkRowOrders(t, base, moduleLoRA(t, base, c.Name() == "gpt2"))
		})
	}
}

// TestRowOrdersOfExperts is the same for adapters of all experts of a layer at once.
func TestRowOrdersOfExperts(t *testing.T) {
	for _, c := range []struct {
		name                          string
		experts, hidden, intermediate int
	}{{"mixtral", 8, 32, 64}, {"qwen2moe", 4, 64, 32}, {"qwen3moe", 8, 32, 32}, {"deepseek3", 4, 64, 32}, {"gpt-oss", 4, 64, 64}} {
		t.Run(c.name, func(t *testing.T) {
			base := openModel(t, filepath.Join("..", "testdata", "convert", c.name, "hf"))
			config := `{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "target_modules": ["none"], "rank_pattern": {".*\\.gate_up_proj": 3},
				"target_parameters": ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]}`
			const module = "base_model.model.model.layers.1.mlp.experts."
			rng := rand.New(rand.NewPCG(8, 8))
			checkRowOrders(t, base, loraWith(t, config,
				randomTensor(rng, module+"base_layer.lora_A.weight", 3*c.experts, c.hidden), randomTensor(rng, module+"base_layer.lora_B.weight", 2*c.intermediate, 3*c.experts),
				randomTensor(rng, module+"lora_A.weight", 2*c.experts, c.intermediate), randomTensor(rng, module+"lora_B.weight", c.hidden, 2*c.experts)))
		})
	}
}

// moduleLoRA returns a LoRA for all linear layers of a checkpoint for which GGUF can
// hold one.
func moduleLoRA(t *testing.T, base *formats.Model, conv1D bool) *adapter.Adapter {
	t.Helper()
	config := `{"peft_type": "LORA", "r": 3, "lora_alpha": 6, "target_modules": "all-linear"}`
	if conv1D {
		config = `{"peft_type": "LORA", "r": 3, "lora_alpha": 6, "target_modules": "all-linear", "fan_in_fan_out": true}`
	}
	rng := rand.New(rand.NewPCG(7, 7))
	var tensors []*formats.Tensor
	refused := 0
	for _, w := range base.Tensors {
		module, ok := strings.CutSuffix(w.Name, ".weight")
		if !ok || len(w.Shape) != 2 || strings.Contains(module, "emb") || strings.Contains(module, "wte") || strings.Contains(module, "wpe") || strings.Contains(module, "experts.") || strings.HasPrefix(module, "pooler.") {
			continue
		}
		out, in := w.Shape[0], w.Shape[1]
		if conv1D && !strings.HasPrefix(module, "lm_head") {
			out, in = in, out
		}
		factors := []*formats.Tensor{randomTensor(rng, "base_model.model."+module+".lora_A.weight", 3, in), randomTensor(rng, "base_model.model."+module+".lora_B.weight", out, 3)}
		switch _, err := arch.AdapterToGGUF(loraWith(t, config, factors...), base, arch.F32); {
		case err == nil:
			tensors = append(tensors, factors...)
		case errors.Is(err, formats.ErrUnsupported):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if refused > 0 && base.Tensor("model.layers.0.self_attn.kv_b_proj.weight") == nil {
		t.Errorf("%d modules refused", refused) // of latent attention, llama.cpp has parts in another form, and looks for no adapters of others
	}
	return loraWith(t, config, tensors...)
}

// loraWith returns an adapter of the given configuration and tensors.
func loraWith(t *testing.T, config string, tensors ...*formats.Tensor) *adapter.Adapter {
	t.Helper()
	c, err := adapter.ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return adapter.New(&formats.Model{Path: "lora", Format: "safetensors", Tensors: tensors}, c)
}

// checkRowOrders compares the three ways.
func checkRowOrders(t *testing.T, base *formats.Model, a *adapter.Adapter) {
	t.Helper()
	adapters := []adapter.Weighted{{Adapter: a, Strength: 1}}
	toGGUF := func(m *formats.Model, err error) *formats.Model {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if m, err = arch.ToGGUF(m, arch.Options{Type: arch.F32, Pre: "qwen2"}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	plain, _, err := transform.Cast(base, formats.F32)
	before := toGGUF(plain, err)
	merged, _, err := transform.Merge(base, adapters, transform.MergeOptions{DType: formats.F32})
	after := toGGUF(merged, err)
	into, _, err := transform.Merge(before, adapters, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lora, err := arch.AdapterToGGUF(a, base, arch.F32)
	if err != nil {
		t.Fatal(err)
	}
	alpha := lora.Metadata.Get("adapter.lora.alpha").(float32)
	changed := 0
	for _, w := range before.Tensors {
		x, y := floats(t, w), floats(t, after.Tensor(w.Name))
		if !slices.Equal(y, floats(t, into.Tensor(w.Name))) {
			t.Errorf("%s is another if the adapter is merged into GGUF", w.Name)
		}
		if fa, fb := lora.Tensor(w.Name+".lora_a"), lora.Tensor(w.Name+".lora_b"); fb != nil {
			changed++
			addProducts(t, x, fa, fb, alpha)
		}
		for i := range x {
			if d := x[i] - y[i]; max(d, -d) > 1e-5 {
				t.Errorf("%s: element %d is %v, by the GGUF adapter %v", w.Name, i, y[i], x[i])
				break
			}
		}
	}
	if 2*changed != len(lora.Tensors) {
		t.Errorf("%d tensors of the adapter, for %d of the base", len(lora.Tensors), changed)
	}
}

// addProducts adds alpha/rank·B·A to w, for each of the experts if there are any.
func addProducts(t *testing.T, w []float32, fa, fb *formats.Tensor, alpha float32) {
	t.Helper()
	a, b := floats(t, fa), floats(t, fb)
	n := len(fa.Shape)
	rank, in, out := fa.Shape[n-2], fa.Shape[n-1], fb.Shape[n-2]
	if fb.Shape[n-1] != rank || len(w)/(in*out) != len(a)/(rank*in) {
		t.Fatalf("%v and %v don't fit a tensor of %d elements", &fa.Info, &fb.Info, len(w))
	}
	for i := range w {
		expert, row, col := i/(in*out), i/in%out, i%in
		var sum float64
		for k := range rank {
			sum += float64(b[(expert*out+row)*rank+k]) * float64(a[(expert*rank+k)*in+col])
		}
		w[i] += alpha / float32(rank) * float32(sum)
	}
}
