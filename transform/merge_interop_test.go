//go:build interop

package transform_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
)

// TestMergeLikePEFT lets PEFT make and merge adapters for many architectures
// (testdata/interop/peft_cases.py) and compares. LORATOOL_PYTHON names a Python
// that has it, LORATOOL_CASES a folder of cases that are made already.
func TestMergeLikePEFT(t *testing.T) {
	dir := os.Getenv("LORATOOL_CASES")
	if dir == "" {
		python := os.Getenv("LORATOOL_PYTHON")
		if python == "" {
			t.Skip("LORATOOL_PYTHON is not set")
		}
		dir = t.TempDir()
		out, err := exec.Command(python, "../testdata/interop/peft_cases.py", dir).Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "FAILED") {
				t.Error(strings.TrimSpace(line))
			}
		}
	}
	cases, _ := filepath.Glob(filepath.Join(dir, "*", "case.json"))
	if len(cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var c struct {
				goldenCase
				BaseIs   adapter.BaseIs `json:"base_is"`
				Rounding transform.Rounding
				Grow     bool
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "out")
			err = mergeCase(t, dir, out, &c.goldenCase, transform.MergeOptions{BaseIs: c.BaseIs, Rounding: c.Rounding, GrowVocab: c.Grow})
			if err != nil {
				t.Fatal(err)
			}
			want, err := hf.Open(filepath.Join(dir, "expected"))
			if err != nil {
				t.Fatal(err)
			}
			defer want.Close()
			if err := judgeTensors(dir, out, want, &c.goldenCase); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMergedModelsCompute loads merged checkpoints in transformers and compares
// their logits with those of the model that PEFT has not merged.
func TestMergedModelsCompute(t *testing.T) {
	python := os.Getenv("LORATOOL_PYTHON")
	if python == "" {
		t.Skip("LORATOOL_PYTHON is not set")
	}
	arguments := []string{"../testdata/interop/peft_logits.py"}
	for _, name := range []string{"tied_lm_head_only", "tied_embed_only", "tied_both", "tied_ensure_weight_tying", "tied_modules_to_save_lm_head",
		"trainable_tokens_dict_tied", "trainable_tokens_dict_untied", "moe_mixtral_v5", "moe_gpt_oss", "moe_qwen3", "moe_mixtral_v4_complete", "gpt2_conv1d",
		"dora_gpt2", "dora_embedding", "lora_bias", "bias_all", "rslora", "pattern_order", "resized_vocab_lora_embeddings", "resized_vocab_saved_embeddings",
		"modules_to_save_score", "adapter_bin"} {
		dir := peftCase(name)
		c := readCase(t, dir)
		out := filepath.Join(t.TempDir(), name)
		if err := mergeCase(t, dir, out, &c, transform.MergeOptions{DType: formats.F32, GrowVocab: true}); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, dir, out)
	}
	out, err := exec.Command(python, arguments...).Output()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
