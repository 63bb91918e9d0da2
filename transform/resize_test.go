package transform_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
)

func openAdapter(t *testing.T, path string) *adapter.Adapter {
	t.Helper()
	a, err := adapter.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func resize(t *testing.T, a *adapter.Adapter, o transform.ResizeOptions) (string, *transform.ExtractReport) {
	t.Helper()
	o.TempDir = t.TempDir()
	x, err := transform.Resize(t.Context(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	out := filepath.Join(t.TempDir(), "resized")
	if err := transform.Write(t.Context(), x.Layout, out, transform.Options{}); err != nil {
		t.Fatal(err)
	}
	return out, x.Report
}

// changes merges an adapter into its base in float32 and returns the change of
// every tensor.
func changes(t *testing.T, base *formats.Model, path string) map[string][]float32 {
	t.Helper()
	a := openAdapter(t, path)
	merged, _, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{DType: formats.F32})
	if err != nil {
		t.Fatal(err)
	}
	deltas := map[string][]float32{}
	for _, b := range base.Tensors {
		x, y := floats(t, b), floats(t, merged.Tensor(b.Name))
		for i := range x {
			y[i] -= x[i]
		}
		deltas[b.Name] = y
	}
	return deltas
}

func difference(a, b map[string][]float32) (relative float64) {
	var d2, n2 float64
	for name, x := range a {
		for i, v := range x {
			d := float64(v - b[name][i])
			d2 += d * d
			n2 += float64(v) * float64(v)
		}
	}
	return math.Sqrt(d2 / n2)
}

// TestResizeKeepsTheChange resizes to the rank that is there already: scales,
// patterns, rsLoRA, embeddings, convolutions and experts must come out the same.
func TestResizeKeepsTheChange(t *testing.T) {
	for _, name := range []string{"linear_f32", "rslora", "pattern_order", "alpha_float_and_zero", "gpt2_conv1d", "conv2d", "embedding_untied_f32",
		"moe_gpt_oss", "moe_mixtral_f32", "lora_bias"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("../testdata/peft", name)
			base := openModel(t, filepath.Join(dir, "base"))
			out, report := resize(t, openAdapter(t, filepath.Join(dir, "adapter")), transform.ResizeOptions{Rank: 64, DType: formats.F32})
			want := changes(t, base, filepath.Join(dir, "adapter"))
			if d := difference(want, changes(t, base, out)); !(d < 1e-5) {
				t.Errorf("the change differs by %g", d)
			}
			if report.RelativeError > 1e-6 {
				t.Errorf("relative error %g reported", report.RelativeError)
			}
		})
	}
}

// TestResizeIsOptimal compares with the singular values of the change, which
// Extract finds from merged weights: dense ones, in a way of its own.
func TestResizeIsOptimal(t *testing.T) {
	dir := "../testdata/peft/linear_f32"
	base := openModel(t, filepath.Join(dir, "base"))
	a := openAdapter(t, filepath.Join(dir, "adapter"))
	merged, _, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rank := range []int{1, 2, 3} {
		_, resized := resize(t, a, transform.ResizeOptions{Rank: rank, DType: formats.F32})
		x, err := transform.Extract(t.Context(), base, merged, transform.ExtractOptions{Rank: rank, DType: formats.F32, TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		x.Close()
		errors := map[string]float64{}
		for _, l := range x.Report.Layers {
			errors[l.Module] = l.RelativeError
		}
		for _, l := range resized.Layers {
			if want := errors[l.Module]; math.Abs(l.RelativeError-want) > 2e-6 {
				t.Errorf("rank %d: %s: relative error %.8f, by the dense matrix %.8f", rank, l.Module, l.RelativeError, want)
			}
		}
	}
}

func TestResizeEnergy(t *testing.T) {
	a := openAdapter(t, "../testdata/peft/linear_f32/adapter")
	out, report := resize(t, a, transform.ResizeOptions{Energy: 0.8})
	for _, l := range report.Layers {
		if l.Energy < 0.8-1e-3 {
			t.Errorf("%s: energy %.4f at rank %d", l.Module, l.Energy, l.Rank)
		}
	}
	_, uniform := resize(t, a, transform.ResizeOptions{Energy: 0.8, Uniform: true})
	for _, l := range uniform.Layers {
		if l.Rank != uniform.Layers[0].Rank {
			t.Errorf("%s: rank %d, not that of the others", l.Module, l.Rank)
		}
	}
	data, err := os.ReadFile(filepath.Join(out, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		R     int     `json:"r"`
		Alpha float64 `json:"lora_alpha"`
		RS    bool    `json:"use_rslora"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	if config.Alpha != float64(config.R) || config.RS {
		t.Errorf("configuration %+v, want alpha = r", config)
	}
}

func TestResizeRefuses(t *testing.T) {
	for _, name := range []string{"dora_linear", "pissa", "olora"} {
		_, err := transform.Resize(t.Context(), openAdapter(t, filepath.Join("../testdata/peft", name, "adapter")), transform.ResizeOptions{Rank: 2, TempDir: t.TempDir()})
		if !errors.Is(err, formats.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
