package transform_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/arch"
)

// TestMergeIntoGGUF compares merges into a GGUF model with those of
// llama-export-lora, which sums in another order, from PEFT's adapter and from the
// GGUF adapter.
func TestMergeIntoGGUF(t *testing.T) {
	for _, c := range []struct{ name, base string }{{"llama-plain", "llama"}, {"gemma2-rank-pattern", "gemma2"}} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join("..", "testdata", "lora", c.name)
			base := convertCheckpoint(t, c.base, arch.F32)
			want := openModel(t, filepath.Join(dir, "merged-f32.gguf"))
			peft, err := adapter.Open(filepath.Join(dir, "peft"))
			if err != nil {
				t.Fatal(err)
			}
			defer peft.Close()
			m, err := arch.AdapterToGGUF(peft, base, arch.F32)
			if err != nil {
				t.Fatal(err)
			}
			again, err := arch.OpenAdapter(m, base)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range []*adapter.Adapter{peft, again} {
				merged, _, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if len(merged.Tensors) != len(want.Tensors) {
					t.Errorf("%d tensors, want %d", len(merged.Tensors), len(want.Tensors))
				}
				for _, w := range want.Tensors {
					checkClose(t, merged.Tensor(w.Name), w)
				}
			}
		})
	}
}

// TestMergeKeepsFormats says that each tensor of a quantized base keeps its format,
// and that those that no adapter changes keep their bytes' place in the file.
func TestMergeKeepsFormats(t *testing.T) {
	base := convertCheckpoint(t, "llama", arch.Q8_0)
	a, err := adapter.Open(filepath.Join("..", "testdata", "lora", "llama-layer1", "peft"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	merged, report, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i, m := range merged.Tensors {
		b := base.Tensors[i]
		if m.Name != b.Name || m.DType != b.DType {
			t.Errorf("tensor %d is %s, %v; want %s, %v", i, m.Name, m.DType, b.Name, b.DType)
		}
		if m != b {
			changed++
		}
	}
	if changed != 2 || len(report.Tensors) != 2 {
		t.Errorf("%d tensors changed, %d reported; want 2", changed, len(report.Tensors))
	}
	for _, line := range report.Tensors {
		if line.From != "Q8_0" || line.To != "Q8_0" {
			t.Errorf("report of %s: from %s to %s, want Q8_0", line.Name, line.From, line.To)
		}
	}
}

// TestMergeIntoGGUFUnties says that a LoRA of a tied embedding alone leaves the head
// what it was.
func TestMergeIntoGGUFUnties(t *testing.T) {
	base := convertCheckpoint(t, "qwen2", arch.F16)
	a, err := adapter.Open(filepath.Join("..", "testdata", "lora", "qwen2-embed", "peft"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	merged, _, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	head := merged.Tensor("output.weight")
	if head == nil || head.DType != formats.F16 {
		t.Fatalf("output.weight is %v, want F16", head)
	}
	checkClose(t, head, base.Tensor("token_embd.weight"))
}

// convertCheckpoint returns a golden's checkpoint as GGUF, written and opened again.
func convertCheckpoint(t *testing.T, name string, typ arch.Type) *formats.Model {
	t.Helper()
	m := openModel(t, filepath.Join("..", "testdata", "convert", name, "hf"))
	pre := map[string]string{"qwen2": "qwen2"}[name]
	out, err := arch.ToGGUF(m, arch.Options{Type: typ, Pre: pre})
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

// checkClose compares the numbers of two tensors, relative to the largest.
func checkClose(t *testing.T, got, want *formats.Tensor) {
	t.Helper()
	if got == nil || got.NumElements() != want.NumElements() {
		t.Errorf("%s: %v, want %v", want.Name, got, &want.Info)
		return
	}
	g, w := make([]float32, got.NumElements()), make([]float32, want.NumElements())
	if err := got.ReadFloats(context.Background(), g, 0, got.NumRows()); err != nil {
		t.Fatal(err)
	}
	if err := want.ReadFloats(context.Background(), w, 0, want.NumRows()); err != nil {
		t.Fatal(err)
	}
	var largest, worst float32
	for i := range w {
		largest, worst = max(largest, w[i], -w[i]), max(worst, g[i]-w[i], w[i]-g[i])
	}
	if worst > 1e-6*largest {
		t.Errorf("%s is off by %v, with numbers up to %v", want.Name, worst, largest)
	}
}
