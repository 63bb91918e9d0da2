package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats/hf"
)

// An onePass is a base with an adapter for it.
type onePass struct {
	name, base string
	config     string   // of adapter_config.json, without braces
	modules    []string // with a pair of factors each
	rank       int
	conv1D     bool // matrices are [in, out]
	dora       bool
	more       []string // tensors, as makeModel takes them
}

const peftPrefix = "base_model.model."

// onePasses are adapters of all kinds that change what follows: norms of rows, row
// orders, heads that are embeddings, experts one by one and fused, new tensors.
var onePasses = []onePass{
	{name: "DoRA with permuted heads", base: "llama", rank: 4, dora: true, config: `"use_dora": true`,
		modules: []string{"model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj", "model.layers.1.mlp.down_proj"}},
	{name: "a head that is trained as a whole", base: "llama3", rank: 2, config: `"modules_to_save": ["lm_head"]`,
		modules: []string{"model.layers.0.self_attn.v_proj"}, more: []string{peftPrefix + "lm_head.weight:F32:400x48"}},
	{name: "a tied head, untied by the adapter", base: "qwen2", rank: 4,
		more: []string{peftPrefix + "model.embed_tokens.lora_embedding_A:F32:4x416", peftPrefix + "model.embed_tokens.lora_embedding_B:F32:64x4"}},
	{name: "DoRA with norms plus one", base: "gemma2", rank: 2, dora: true, config: `"use_dora": true, "use_rslora": true`,
		modules: []string{"model.layers.0.mlp.gate_proj", "model.layers.1.self_attn.o_proj"}},
	{name: "fused projections", base: "phi3", rank: 3, modules: []string{"model.layers.0.self_attn.qkv_proj", "model.layers.1.mlp.gate_up_proj"}},
	{name: "Conv1D", base: "gpt2", rank: 3, conv1D: true, config: `"fan_in_fan_out": true`, modules: []string{"h.0.attn.c_attn", "h.1.mlp.c_proj"}},
	{name: "regrouped projections", base: "gptneox", rank: 3, modules: []string{"gpt_neox.layers.0.attention.query_key_value"}},
	{name: "experts one by one", base: "qwen3moe", rank: 2, modules: []string{"model.layers.0.mlp.experts.0.up_proj", "model.layers.0.mlp.experts.3.down_proj"}},
	{name: "fused experts", base: "mixtral", rank: 2, config: `"target_parameters": ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]`,
		more: []string{peftPrefix + "model.layers.0.mlp.experts.base_layer.lora_A.weight:F32:16x32", peftPrefix + "model.layers.0.mlp.experts.base_layer.lora_B.weight:F32:128x16",
			peftPrefix + "model.layers.0.mlp.experts.lora_A.weight:F32:16x64", peftPrefix + "model.layers.0.mlp.experts.lora_B.weight:F32:32x16"}},
	{name: "interleaved experts", base: "gpt-oss", rank: 2, config: `"target_parameters": ["mlp.experts.gate_up_proj"]`,
		more: []string{peftPrefix + "model.layers.0.mlp.experts.lora_A.weight:F32:8x64", peftPrefix + "model.layers.0.mlp.experts.lora_B.weight:F32:128x8"}},
	{name: "latent attention", base: "deepseek3", rank: 2, modules: []string{"model.layers.0.self_attn.kv_b_proj", "model.layers.1.self_attn.q_a_proj"}},
	{name: "biases", base: "starcoder2", rank: 2, config: `"lora_bias": true`, modules: []string{"model.layers.0.self_attn.q_proj"},
		more: []string{peftPrefix + "model.layers.0.self_attn.q_proj.lora_B.bias:F32:64"}},
}

// TestOnePass says that from base and adapter to GGUF in one pass is, byte for byte,
// what merge, convert and quantize make one after the other.
func TestOnePass(t *testing.T) {
	for _, c := range onePasses {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			base, err := filepath.Abs(filepath.Join("../../testdata/convert", c.base, "hf"))
			if err != nil {
				t.Fatal(err)
			}
			c.write(t, base, at("lora"))
			if err := os.Mkdir(at("merged"), 0o777); err != nil {
				t.Fatal(err)
			}
			runTool(t, "merge", base, "--lora", at("lora"), "-o", at("merged/hf")) // the folder names the model
			runTool(t, "convert", at("merged/hf"), "-o", at("merged.gguf"), "--pre", "qwen2")
			for _, typ := range []string{"auto", "f32", "Q8_0", "Q5_0", "IQ4_NL", "Q4_K_M"} {
				three := at(typ + "-three.gguf")
				switch typ {
				case "auto", "f32", "Q8_0": // which convert makes itself
					runTool(t, "convert", at("merged/hf"), "-o", three, "--type", typ, "--pre", "qwen2")
				default:
					runTool(t, "quantize", at("merged.gguf"), typ, "-o", three)
				}
				one := at(typ + "-one.gguf")
				runTool(t, "merge", base, "--lora", at("lora"), "-o", one, "--type", typ, "--pre", "qwen2", "--memory", "16MiB")
				if a, b := readWhole(t, one), readWhole(t, three); !bytes.Equal(a, b) {
					t.Errorf("%s: %d bytes in one pass, %d in three, and they differ", typ, len(a), len(b))
				}
			}
		})
	}
}

// write writes the adapter.
func (c *onePass) write(t *testing.T, base, dir string) {
	t.Helper()
	m, err := hf.Open(base)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	specs := append([]string{"stem=adapter_model"}, c.more...)
	for _, module := range c.modules {
		w := m.Tensor(module + ".weight")
		if w == nil {
			t.Fatalf("%s has no module %s", c.base, module)
		}
		out, in := w.Shape[0], w.Shape[1]
		if c.conv1D {
			out, in = in, out
		}
		specs = append(specs, fmt.Sprintf("%s%s.lora_A.weight:F32:%dx%d", peftPrefix, module, c.rank, in), fmt.Sprintf("%s%s.lora_B.weight:F32:%dx%d", peftPrefix, module, out, c.rank))
		if c.dora {
			specs = append(specs, fmt.Sprintf("%s%s.lora_magnitude_vector:F32:%d", peftPrefix, module, out))
		}
	}
	if err := makeModel(dir, specs...); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`{"peft_type": "LORA", "r": %d, "lora_alpha": 4, "target_modules": "all-linear"`, c.rank)
	if c.config != "" {
		config += ", " + c.config
	}
	if err := os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(config+"}"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// runTool runs a command line, which must succeed.
func runTool(t *testing.T, args ...string) {
	t.Helper()
	var out strings.Builder
	if err := runApp(context.Background(), newUI(&out, &out), append([]string{"loratool"}, args...)); err != nil {
		t.Fatalf("loratool %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
}

func readWhole(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
