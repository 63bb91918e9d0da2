package transform_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
)

// roundTrip extracts an adapter, writes it, merges it into the base and returns
// the share of the fine-tuned model's elements that come out bit by bit.
func roundTrip(t *testing.T, base, tuned *formats.Model, o transform.ExtractOptions) (equal float64, out string, report *transform.ExtractReport) {
	t.Helper()
	ctx := t.Context()
	o.TempDir = t.TempDir()
	x, err := transform.Extract(ctx, base, tuned, o)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	out = filepath.Join(t.TempDir(), "adapter")
	if err := transform.Write(ctx, x.Layout, out, transform.Options{}); err != nil {
		t.Fatal(err)
	}
	a, err := adapter.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	merged, _, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{GrowVocab: true})
	if err != nil {
		t.Fatal(err)
	}
	same, all := 0, 0
	for _, want := range tuned.Tensors {
		got := merged.Tensor(want.Name)
		if got == nil && o.Include != nil {
			continue
		}
		if got == nil || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("merging gives %v for %s, want %v", got, want.Name, &want.Info)
			continue
		}
		x, y := floats(t, got), floats(t, want)
		for i := range x {
			// An F32 model has digits that factors in F32 do not.
			if x[i] == y[i] || want.DType == formats.F32 && math.Abs(float64(x[i]-y[i])) < 1e-6 {
				same++
			}
		}
		all += len(x)
	}
	return float64(same) / float64(all), out, x.Report
}

func floats(t *testing.T, x *formats.Tensor) []float32 {
	t.Helper()
	f := make([]float32, x.NumElements())
	if err := x.ReadFloats(context.Background(), f, 0, x.NumRows()); err != nil {
		t.Fatal(err)
	}
	return f
}

func openModel(t *testing.T, path string) *formats.Model {
	t.Helper()
	m, err := hf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestExtractFullRank extracts what PEFT merged, at full rank and in float32, and
// merges it again: linear layers, GPT-2's, embeddings, convolutions, fused experts
// of both orientations, biases and saved modules.
func TestExtractFullRank(t *testing.T) {
	for _, name := range []string{"gpt2_conv1d", "linear_all", "linear_f32", "conv1d", "conv2d", "conv3d", "embedding_untied", "bias_all",
		"bias_lora_only", "lora_bias", "qwen2_qkv_bias", "moe_gpt_oss", "moe_qwen3", "moe_mixtral_v5", "gemma_tied", "modules_to_save_lm_head",
		"modules_to_save_score", "tied_both", "tied_modules_to_save_lm_head", "resized_vocab_saved_embeddings"} {
		dir := filepath.Join("../testdata/peft", name)
		t.Run(name, func(t *testing.T) {
			base, tuned := openModel(t, filepath.Join(dir, "base")), openModel(t, filepath.Join(dir, "expected.safetensors"))
			equal, _, report := roundTrip(t, base, tuned, transform.ExtractOptions{Rank: 512, DType: formats.F32, LeftShare: 0.5})
			if equal < 0.999 {
				t.Errorf("%.4f of the elements are restored, want 0.999", equal)
			}
			if report.RelativeError > 1e-5 {
				t.Errorf("relative error %g at full rank", report.RelativeError)
			}
		})
	}
}

func TestExtractOptions(t *testing.T) {
	base := openModel(t, demo+"base")
	merged := mergeDemo(t, base)
	for name, o := range map[string]transform.ExtractOptions{
		"rank":    {Rank: 4},
		"energy":  {Energy: 0.9},
		"error":   {Error: 0.3},
		"auto":    {AutoRank: true},
		"budget":  {Budget: 700000},
		"uniform": {Energy: 0.9, Uniform: true},
		"up":      {Rank: 4, LeftShare: 1},
		"down":    {Rank: 4, LeftShare: 0, DType: formats.F16},
		"include": {Rank: 4, Include: regexp.MustCompile(`q_proj`)},
	} {
		t.Run(name, func(t *testing.T) {
			_, out, report := roundTripError(t, base, merged, o)
			t.Logf("%s: relative error %.4f, %d parameters, %d layers", out, report.RelativeError, report.Parameters, len(report.Layers))
			var config map[string]any
			data, err := os.ReadFile(filepath.Join(out, "adapter_config.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &config); err != nil {
				t.Fatal(err)
			}
			if o.Energy > 0 && report.Energy < o.Energy-1e-3 {
				t.Errorf("energy %.4f, want %.2f", report.Energy, o.Energy)
			}
			if o.Error > 0 && report.RelativeError > o.Error+1e-3 {
				t.Errorf("relative error %.4f, want at most %.2f", report.RelativeError, o.Error)
			}
			if o.Budget > 0 && report.Bytes > o.Budget {
				t.Errorf("%d bytes, more than the budget of %d", report.Bytes, o.Budget)
			}
			if o.AutoRank {
				for _, l := range report.Layers {
					if l.Rank != 4 {
						t.Errorf("%s: rank %d, want the true one, 4", l.Module, l.Rank)
					}
				}
			}
			if o.Uniform {
				if n := len(config["rank_pattern"].(map[string]any)); n > 0 {
					t.Errorf("rank_pattern has %d entries", n)
				}
			}
		})
	}
}

// TestExtractFindsWhatRoundingHid merges a LoRA into BF16 weights and extracts it
// again: the result is closer to the LoRA's change than the rounded weights are,
// because the singular values that are left out are those of the rounding errors.
func TestExtractFindsWhatRoundingHid(t *testing.T) {
	base := openModel(t, demo+"base")
	rounded, exact := mergeDemo(t, base), mergeTo(t, base, demo+"adapter", formats.F32)
	_, out, report := roundTrip(t, base, rounded, transform.ExtractOptions{AutoRank: true, DType: formats.F32, LeftShare: 0.5})
	found := mergeTo(t, base, out, formats.F32)
	for _, l := range report.Layers {
		name := l.Module + ".weight"
		truth := floats(t, exact.Tensor(name))
		extracted, stored := distance(truth, floats(t, found.Tensor(name))), distance(truth, floats(t, rounded.Tensor(name)))
		if extracted > stored/2 {
			t.Errorf("%s: the extracted change is %.3g from the true one, the rounded weights %.3g", l.Module, extracted, stored)
		}
	}
	if len(report.Layers) == 0 {
		t.Error("no layers")
	}
}

// distance returns ‖x − y‖.
func distance(x, y []float32) float64 {
	var sum float64
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// mergeDemo merges the demo's adapter into its base.
func mergeDemo(t *testing.T, base *formats.Model) *formats.Model {
	return mergeTo(t, base, demo+"adapter", formats.Invalid)
}

// mergeTo merges an adapter into a base, in a number format.
func mergeTo(t *testing.T, base *formats.Model, path string, dtype formats.DType) *formats.Model {
	t.Helper()
	a, err := adapter.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	merged, _, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{DType: dtype})
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

// roundTripError is roundTrip that also measures the reported errors from the
// factors on disk, independently of the code that made them.
func roundTripError(t *testing.T, base, tuned *formats.Model, o transform.ExtractOptions) (float64, string, *transform.ExtractReport) {
	t.Helper()
	equal, out, report := roundTrip(t, base, tuned, o)
	weights := openModel(t, filepath.Join(out, "adapter_model.safetensors"))
	for _, l := range report.Layers {
		if l.Kind != "linear" || l.Rank == 0 {
			continue
		}
		a, b := floats(t, weights.Tensor("base_model.model."+l.Module+".lora_A.weight")), floats(t, weights.Tensor("base_model.model."+l.Module+".lora_B.weight"))
		w, v := floats(t, base.Tensor(l.Module+".weight")), floats(t, tuned.Tensor(l.Module+".weight"))
		var error2, delta2 float64
		for i := range l.Rows {
			for j := range l.Cols {
				d := float64(v[i*l.Cols+j] - w[i*l.Cols+j])
				delta2 += d * d
				for k := range l.Rank {
					d -= float64(b[i*l.Rank+k]) * float64(a[k*l.Cols+j])
				}
				error2 += d * d
			}
		}
		if want := math.Sqrt(error2 / delta2); math.Abs(l.RelativeError-want) > 1e-6 {
			t.Errorf("%s: relative error %.8f reported, and %.8f by the elements", l.Module, l.RelativeError, want)
		}
		if got := math.Sqrt(delta2); math.Abs(got-l.DeltaNorm) > 1e-6*got {
			t.Errorf("%s: ‖Δ‖ = %g reported, and %g by the elements", l.Module, l.DeltaNorm, got)
		}
	}
	return equal, out, report
}

// TestExtractSameBytes extracts with different numbers of workers and budgets.
func TestExtractSameBytes(t *testing.T) {
	base := openModel(t, demo+"base")
	tuned := mergeDemo(t, base)
	var want []byte
	for _, o := range []transform.Options{{Workers: 1}, {Workers: 4}, {Workers: 2, Memory: 1 << 20}} {
		_, out, _ := roundTrip(t, base, tuned, transform.ExtractOptions{Energy: 0.9, Options: o})
		got, err := os.ReadFile(filepath.Join(out, "adapter_model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("other bytes with %+v", o)
		}
	}
}
