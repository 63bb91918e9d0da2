package arch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/adapter"
)

// TestAdapterToGGUF compares adapters with those of llama.cpp's converter, and takes
// them back.
func TestAdapterToGGUF(t *testing.T) {
	files, err := filepath.Glob("../../testdata/lora/*/expected.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var g struct {
				Base    string
				Outputs map[string]description
			}
			if err := json.Unmarshal(data, &g); err != nil {
				t.Fatal(err)
			}
			base := openCheckpoint(t, g.Base)
			ad := openLoRA(t, filepath.Join(dir, "peft"), filepath.Base(dir))
			for name, want := range g.Outputs {
				typ, err := ParseType(name)
				if err != nil {
					t.Fatal(err)
				}
				got, err := AdapterToGGUF(ad, base, typ)
				if err != nil {
					t.Fatal(err)
				}
				want.normalize()
				if diff := cmp.Diff(want, describe(t, got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			checkAdapterBack(t, ad, base)
		})
	}
}

// checkAdapterBack takes the adapter to GGUF and back.
func checkAdapterBack(t *testing.T, ad *adapter.Adapter, base *formats.Model) {
	t.Helper()
	m, err := AdapterToGGUF(ad, base, F32)
	if err != nil {
		t.Fatal(err)
	}
	back, err := OpenAdapter(m, base)
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Weights.Tensors) != len(ad.Weights.Tensors) {
		t.Errorf("%d tensors, want %d", len(back.Weights.Tensors), len(ad.Weights.Tensors))
	}
	for _, want := range ad.Weights.Tensors {
		got := back.Weights.Tensor(want.Name)
		if got == nil || !slices.Equal(floatsOf(t, got), floatsOf(t, want)) {
			t.Errorf("%s: %v, want the numbers of %v", want.Name, got, &want.Info)
			continue
		}
		module := adapter.ParseKey(want.Name).Module
		if got, want := back.Config.ScaleOf(module), ad.Config.ScaleOf(module); got != want {
			t.Errorf("scale of %s = %v, want %v", module, got, want)
		}
	}
}

// TestAdapterScale says that the scale that llama.cpp uses, alpha/rank, times B is
// the true one times B for rank-stabilized adapters and alpha_pattern.
func TestAdapterScale(t *testing.T) {
	base := openCheckpoint(t, "llama")
	for _, setting := range []string{`"use_rslora": true`, `"alpha_pattern": {"q_proj": 64, "layers.1.mlp.up_proj": 1}`, `"lora_alpha": 0`} {
		config := `{"peft_type": "LORA", "r": 8, "lora_alpha": 16, ` + setting + `}`
		if strings.Contains(setting, "lora_alpha") {
			config = `{"peft_type": "LORA", "r": 8, ` + setting + `}`
		}
		c, err := adapter.ParseConfig([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		ad := openLoRA(t, "../../testdata/lora/llama-plain/peft", "plain")
		ad.Config = c
		m, err := AdapterToGGUF(ad, base, F32)
		if err != nil {
			t.Fatal(err)
		}
		alpha := float64(m.Metadata.Get("adapter.lora.alpha").(float32))
		for _, x := range ad.Weights.Tensors {
			k := adapter.ParseKey(x.Name)
			if k.Part != "lora_B" || strings.Contains(x.Name, "q_proj") || strings.Contains(x.Name, "k_proj") { // whose rows move
				continue
			}
			scale := alpha / 8
			if alpha == 0 {
				scale = 1
			}
			r := architectureNamed(t, "llama").rulesForHF(k.Module + ".weight")[0]
			n, suffix, _ := match(r.hf, k.Module+".weight")
			got, want := floatsOf(t, m.Tensor(expand(r.gguf, n, suffix)+".lora_b")), floatsOf(t, x)
			for i := range want {
				if g, w := float64(got[i])*scale, float64(want[i])*c.ScaleOf(k.Module); max(g-w, w-g) > 1e-6*max(w, -w) {
					t.Fatalf("%s: %s[%d] · %v = %v, want %v", setting, k.Module, i, scale, g, w)
				}
			}
		}
	}
}

// TestAdapterRefusals names what a GGUF adapter can't hold.
func TestAdapterRefusals(t *testing.T) {
	base := openCheckpoint(t, "llama")
	for _, c := range []struct{ setting, want string }{
		{`"use_dora": true`, "DoRA"},
		{`"modules_to_save": ["lm_head"]`, "modules_to_save"},
		{`"lora_bias": true`, "lora_bias"},
		{`"trainable_token_indices": [1, 2]`, "trainable_token_indices"},
		{`"init_lora_weights": "pissa"`, "pissa"},
		{`"r": 4`, "the rank 4"},
	} {
		config, err := adapter.ParseConfig([]byte(`{"peft_type": "LORA", "lora_alpha": 16, ` + c.setting + `}`))
		if err != nil {
			t.Fatal(err)
		}
		ad := openLoRA(t, "../../testdata/lora/llama-plain/peft", "plain")
		ad.Config = config
		if _, err := AdapterToGGUF(ad, base, F32); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %s: %v, want an error about %q", c.setting, err, c.want)
		}
	}
	ad := openLoRA(t, "../../testdata/lora/llama-plain/peft", "plain")
	if _, err := AdapterToGGUF(ad, openCheckpoint(t, "gpt2"), F32); err == nil || !strings.Contains(err.Error(), "has no module") {
		t.Errorf("with the wrong base: %v", err)
	}
}

func openCheckpoint(t *testing.T, name string) *formats.Model {
	t.Helper()
	return openFolder(t, filepath.Join("../../testdata/convert", name, "hf"))
}

func openFolder(t *testing.T, dir string) *formats.Model {
	t.Helper()
	m, err := hf.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// openLoRA opens an adapter under the name of its case.
func openLoRA(t *testing.T, dir, name string) *adapter.Adapter {
	t.Helper()
	copied := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	a, err := adapter.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func architectureNamed(t *testing.T, name string) *Architecture {
	t.Helper()
	i := slices.IndexFunc(architectures, func(a *Architecture) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("no architecture %s", name)
	}
	return architectures[i]
}
