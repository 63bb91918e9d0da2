package shrink_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/safetensors"
	"github.com/loratool/loratool/transform/shrink"
)

const goldens = "../../testdata/shrink"

// expected is the expected.json of a case.
type expected struct {
	Base      string
	Untouched []string
	Tensors   map[string]struct {
		DType             string
		DTypeAlternatives []string `json:"dtype_alternatives"`
		Shape             []int
		SHA256            string
		ByteExact         bool    `json:"byte_exact"`
		ShapeFree         bool    `json:"shape_free"`
		Optional          bool    `json:"optional"`
		MaxRelRMS         float64 `json:"max_rel_rms"`
	}
	Weights map[string]struct {
		MaxRelRMS float64 `json:"max_rel_rms"`
	}
	EqualGroups         [][]string     `json:"equal_groups"`
	ConfigRequired      map[string]any `json:"config_required"`
	UnquantizedLinears  []string       `json:"unquantized_linears"`
	QuantizationConfig  map[string]any `json:"quantization_config"`
	Format, Kind, Cases string
}

func readExpected(t *testing.T, dir string) (e expected) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func open(t *testing.T, dir string) *formats.Model {
	t.Helper()
	m, err := hf.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// openGzip opens a compressed safetensors file.
func openGzip(t *testing.T, path string) *formats.Model {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "dequantized.safetensors")
	if err := os.WriteFile(plain, data, 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := formats.Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// numbers reads a whole tensor, in pieces of some rows.
func numbers(t *testing.T, x *formats.Tensor, step int) []float32 {
	t.Helper()
	y := make([]float32, x.NumElements())
	cols := x.NumCols()
	for lo := 0; lo < x.NumRows(); lo += step {
		hi := min(lo+step, x.NumRows())
		if err := x.ReadFloats(context.Background(), y[lo*cols:hi*cols], lo, hi); err != nil {
			t.Fatalf("%s: %v", x.Name, err)
		}
	}
	return y
}

// TestDequantize compares every number of what is decoded with what the goldens say,
// bit for bit. Only LLM.int8 may differ in the last bit: bitsandbytes multiplies by a
// rounded 1/127, and so do we, while the golden divides.
func TestDequantize(t *testing.T) {
	cases, _ := filepath.Glob(goldens + "/read/*")
	if len(cases) != 14 {
		t.Fatalf("there are %d goldens, want 14", len(cases))
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			e := readExpected(t, dir)
			m, source, err := shrink.Dequantize(open(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			want, base := openGzip(t, dir+"/dequantized.safetensors.gz"), open(t, filepath.Join(dir, e.Base))
			if source.Count != len(want.Tensors) || source.DType != formats.BF16 {
				t.Errorf("%+v, want %d matrices for BF16", *source, len(want.Tensors))
			}
			if len(m.Tensors) != len(want.Tensors)+len(e.Untouched) {
				t.Errorf("%d tensors, want %d", len(m.Tensors), len(want.Tensors)+len(e.Untouched))
			}
			config, err := hf.Config(m)
			if err != nil || config.Has("quantization_config") || config.Has("quantization") {
				t.Errorf("config.json still has a quantization block: %v, %v", config, err)
			}
			for _, name := range e.Untouched {
				compare(t, m.Tensor(name), base.Tensor(name), name, 0)
			}
			slack := 0.0
			if e.Format == "bnb-int8" {
				slack = 1.2e-7
			}
			for _, w := range want.Tensors {
				compare(t, m.Tensor(w.Name), w, w.Name, slack)
			}
		})
	}
}

func compare(t *testing.T, got, want *formats.Tensor, name string, slack float64) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is missing", name)
		return
	}
	w := numbers(t, want, want.NumRows())
	for _, step := range []int{got.NumRows(), 1, 3} {
		for i, v := range numbers(t, got, step) {
			if v != w[i] && !(math.Abs(float64(v-w[i])) <= slack*math.Abs(float64(w[i]))) {
				t.Errorf("%s, read %d rows at a time: element %d is %v, want %v", name, step, i, v, w[i])
				return
			}
		}
	}
}

// TestDequantizePlain says that a plain checkpoint is left alone.
func TestDequantizePlain(t *testing.T) {
	m := open(t, goldens+"/base")
	if out, source, err := shrink.Dequantize(m); out != m || source != nil || err != nil {
		t.Errorf("Dequantize = %v, %v, %v, want the model itself", out, source, err)
	}
}

var _ = safetensors.Layout
