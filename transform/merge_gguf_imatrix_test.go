package transform_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/recipe"
)

// TestMergeByImportance merges into a base in IQ2_XXS: without an importance matrix
// that is an error with two ways out, with one a tensor becomes what Quantize makes
// of the sum, and if another recipe follows, it is not quantized in between.
func TestMergeByImportance(t *testing.T) {
	const dir = "../testdata/gguf/quantize/"
	importance, err := imatrix.Open(dir + "imatrix-llama-f16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer importance.Close()
	plain := oneLayer(openModel(t, dir+"llama-f16.gguf").Metadata)
	iq2 := transform.QuantizeOptions{Recipe: recipe.Options{FType: recipe.IQ2_XXS}, Imatrix: importance}
	base := quantizeToFile(t, plain, iq2)
	const name = "blk.0.ffn_up.weight"
	if d := base.Tensor(name).DType; d != formats.IQ2_XXS {
		t.Fatalf("%s is %v in the base", name, d)
	}
	adapters := []adapter.Weighted{{Adapter: loraOf("model.layers.0.mlp.up_proj", 256, 256), Strength: 1}}

	_, _, err = transform.Merge(base, adapters, transform.MergeOptions{})
	var e *formats.Error
	if !errors.As(err, &e) || !errors.Is(err, formats.ErrUnsupported) || e.Tensor != name || !strings.Contains(e.Hint, "--imatrix") || !strings.Contains(e.Hint, "--type") {
		t.Fatalf("without an importance matrix: %#v", err)
	}

	sum, report, err := transform.Merge(base, adapters, transform.MergeOptions{DecodeChanged: true})
	if err != nil {
		t.Fatal(err)
	}
	if d := sum.Tensor(name).DType; d != formats.F32 || report.Tensors[0].To != "F32" {
		t.Fatalf("to be quantized next, it is %v and reported as %s", d, report.Tensors[0].To)
	}
	want, _, err := transform.Quantize(&formats.Model{Metadata: base.Metadata, Tensors: []*formats.Tensor{sum.Tensor(name)}}, iq2)
	if err != nil {
		t.Fatal(err)
	}
	merged, report, err := transform.Merge(base, adapters, transform.MergeOptions{Imatrix: importance})
	if err != nil {
		t.Fatal(err)
	}
	if line := report.Tensors[0]; len(report.Tensors) != 1 || line.From != "IQ2_XXS" || line.To != "IQ2_XXS" {
		t.Errorf("report: %+v", report.Tensors)
	}
	got := bytesOf(t, merged.Tensor(name))
	if !slices.Equal(got, bytesOf(t, want.Tensors[0])) || slices.Equal(got, bytesOf(t, base.Tensor(name))) {
		t.Error("what is merged is not the quantized sum")
	}
}

// oneLayer returns a llama of one layer with random weights.
func oneLayer(metadata formats.Metadata) *formats.Model {
	m := &formats.Model{Format: "gguf", Metadata: metadata.With("llama.block_count", uint32(1))}
	rng := rand.New(rand.NewPCG(5, 5))
	for _, s := range []struct {
		name  string
		shape []int
	}{
		{"token_embd", []int{160, 256}}, {"output", []int{160, 256}}, {"output_norm", []int{256}},
		{"blk.0.attn_norm", []int{256}}, {"blk.0.attn_q", []int{256, 256}}, {"blk.0.attn_k", []int{64, 256}}, {"blk.0.attn_v", []int{64, 256}},
		{"blk.0.attn_output", []int{256, 256}}, {"blk.0.ffn_norm", []int{256}}, {"blk.0.ffn_gate", []int{256, 256}},
		{"blk.0.ffn_up", []int{256, 256}}, {"blk.0.ffn_down", []int{256, 256}},
	} {
		m.Tensors = append(m.Tensors, randomTensor(rng, s.name+".weight", s.shape...))
	}
	return m
}

func randomTensor(rng *rand.Rand, name string, shape ...int) *formats.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64()) / 8
	}
	b := make([]byte, 4*n)
	formats.Encoder(formats.F32)(b, x)
	return inMemory(name, formats.F32, shape, b)
}

// loraOf returns a LoRA of rank 4 for a module.
func loraOf(module string, out, in int) *adapter.Adapter {
	c, err := adapter.ParseConfig([]byte(`{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["` + module + `"]}`))
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(6, 6))
	return adapter.New(&formats.Model{Path: "lora", Format: "safetensors", Tensors: []*formats.Tensor{
		randomTensor(rng, "base_model.model."+module+".lora_A.weight", 4, in), randomTensor(rng, "base_model.model."+module+".lora_B.weight", out, 4),
	}}, c)
}

// quantizeToFile quantizes a model, writes it and opens the result.
func quantizeToFile(t *testing.T, m *formats.Model, o transform.QuantizeOptions) *formats.Model {
	t.Helper()
	out, _, err := transform.Quantize(m, o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := gguf.Layout(out, gguf.LayoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "base.gguf")
	if err := transform.Write(context.Background(), l, path, transform.Options{}); err != nil {
		t.Fatal(err)
	}
	return openModel(t, path)
}

func bytesOf(t *testing.T, x *formats.Tensor) []byte {
	t.Helper()
	b := make([]byte, x.NumBytes())
	if err := x.ReadRows(context.Background(), b, 0, x.NumRows()); err != nil {
		t.Fatal(err)
	}
	return b
}
