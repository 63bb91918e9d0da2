package transform

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform/recipe"
)

// f32Tensor returns a tensor of the given numbers.
func f32Tensor(name string, x []float32, shape ...int) *formats.Tensor {
	b := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return formats.NewExtent(formats.Info{Name: name, DType: formats.F32, Shape: shape},
		formats.NewFile(bytes.NewReader(b), int64(len(b)), "model.gguf"), 0)
}

// ramp returns n numbers that are all different.
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%97)/97 - float32(i%89)/89
	}
	return x
}

// quantizeTo returns the error of quantizing tensors to one format.
func quantizeTo(t *testing.T, d formats.DType, tensors ...*formats.Tensor) error {
	t.Helper()
	o := QuantizeOptions{Recipe: recipe.Options{FType: recipe.Q4_0, Pure: true}}
	v, err := recipe.ParseOverride(".=" + d.String())
	if err != nil {
		t.Fatal(err)
	}
	o.Recipe.Overrides = append(o.Recipe.Overrides, v)
	if d == formats.F16 || d == formats.BF16 {
		o.Recipe.FType, _ = recipe.ParseFType(d.String())
	}
	m, _, err := Quantize(&formats.Model{Path: "model.gguf", Tensors: tensors}, o)
	for _, x := range tensorsOf(m) {
		if err == nil {
			err = x.ReadRows(context.Background(), make([]byte, x.NumBytes()), 0, x.NumRows())
		}
	}
	return err
}

func tensorsOf(m *formats.Model) []*formats.Tensor {
	if m == nil {
		return nil
	}
	return m.Tensors
}

// A number that is none, or that the format has no room for, is an error that
// names the tensor and the element, in tensors that are copied too.
func TestQuantizeBadNumbers(t *testing.T) {
	for _, d := range []formats.DType{formats.F16, formats.BF16, formats.Q8_0, formats.Q4_0, formats.Q4_1, formats.Q5_1,
		formats.Q2_K, formats.Q3_K, formats.Q4_K, formats.Q6_K, formats.IQ4_XS, formats.IQ3_S, formats.TQ1_0} {
		if err := quantizeTo(t, d, f32Tensor("blk.0.a.weight", ramp(2048), 4, 512)); err != nil {
			t.Errorf("%v: %v", d, err)
		}
		for what, v := range map[string]float32{
			"NaN": float32(math.NaN()), "+Inf": float32(math.Inf(1)), "-Inf": float32(math.Inf(-1)), "-3e+38": -3e38, "1e+38": 1e38, "2e+09": 2e9,
		} {
			if d == formats.BF16 && strings.Contains(what, "e+") {
				continue // it has the range of float32
			}
			x := ramp(2048)
			x[1234] = v
			err := quantizeTo(t, d, f32Tensor("blk.0.a.weight", x, 4, 512))
			if err == nil || !strings.Contains(err.Error(), "element 1234 is "+what) || !strings.Contains(err.Error(), "blk.0.a.weight") {
				t.Errorf("%v with %s: %v", d, what, err)
			}
		}
	}
	x := ramp(64)
	x[7] = float32(math.NaN())
	if err := quantizeTo(t, formats.Q4_0, f32Tensor("norm.weight", x, 64)); err == nil || !strings.Contains(err.Error(), "element 7 is NaN") {
		t.Errorf("NaN in a tensor that is copied: %v", err)
	}
}

// Whatever the magnitude, the largest number of a row is refused or survives.
func TestQuantizeLargeNumbers(t *testing.T) {
	for _, f := range recipe.FTypes() {
		d := f.DType()
		if recipe.NeedsImatrix("x.weight", d, f) || d == formats.F32 || d == formats.Q1_0 {
			continue // Q1_0 keeps signs and a mean
		}
		for v := float32(1000); v < 1e20; v *= 10 {
			x := ramp(512)
			x[300] = v
			m, _, err := Quantize(&formats.Model{Tensors: []*formats.Tensor{f32Tensor("x.weight", x, 2, 256)}},
				QuantizeOptions{Recipe: recipe.Options{FType: f, Pure: true}})
			if err != nil {
				t.Fatal(err)
			}
			y := make([]float32, len(x))
			err = m.Tensors[0].ReadFloats(context.Background(), y, 0, 2)
			if err == nil && !(math.Abs(float64(y[300]/v-1)) < 0.5) {
				t.Errorf("%v: %v becomes %v", d, v, y[300])
			}
			if err != nil && v < 60000 {
				t.Errorf("%v: %v", d, err)
			}
		}
	}
}

// A matrix that does not fit, tells nothing, or is missing, is an error.
func TestQuantizeBadImatrix(t *testing.T) {
	matrix, err := imatrix.Open(quantizeGoldens + "imatrix-llama-f16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer matrix.Close()
	quantize := func(o QuantizeOptions, name string, cols int) error {
		_, _, err := Quantize(&formats.Model{Path: "m.gguf", Tensors: []*formats.Tensor{f32Tensor(name, ramp(4*cols), 4, cols)}}, o)
		return err
	}
	o := QuantizeOptions{Imatrix: matrix, Recipe: recipe.Options{FType: recipe.Q4_K_M}}
	if err := quantize(o, "blk.0.attn_q.weight", 512); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("a matrix of other columns: %v", err)
	}
	if err := quantize(o, "token_embd.weight", 512); err != nil {
		t.Errorf("a matrix of other columns, for the token embedding: %v", err)
	}
	o.Recipe.FType = recipe.IQ2_XXS
	if err := quantize(o, "blk.77.attn_q.weight", 512); !errors.Is(err, formats.ErrMismatch) || !strings.Contains(err.Error(), "blk.77.attn_q.weight") {
		t.Errorf("no entry where one is needed: %v", err)
	}
	o.Imatrix = nil
	if err := quantize(o, "blk.0.attn_q.weight", 512); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("no matrix where one is needed: %v", err)
	}
}

// Measured errors do not depend on how the rows were asked for, and are what a
// comparison of the files gives.
func TestQuantizeMeasure(t *testing.T) {
	x := ramp(40 * 256)
	var first float64
	for _, step := range []int{1, 7, 40} {
		m, report, err := Quantize(&formats.Model{Tensors: []*formats.Tensor{f32Tensor("a.weight", x, 40, 256)}},
			QuantizeOptions{Measure: true, Recipe: recipe.Options{FType: recipe.Q4_K_S}})
		if err != nil {
			t.Fatal(err)
		}
		q := m.Tensors[0]
		data := make([]byte, q.NumBytes())
		for hi := q.NumRows(); hi > 0; hi -= step { // from the end
			lo := max(0, hi-step)
			if err := q.ReadRows(context.Background(), data[int64(lo)*q.RowBytes():int64(hi)*q.RowBytes()], lo, hi); err != nil {
				t.Fatal(err)
			}
		}
		y := make([]float32, len(x))
		formats.Decoder(q.DType)(y, data)
		var e2, x2 float64
		for i := range x {
			d := float64(x[i]) - float64(y[i])
			e2, x2 = e2+d*d, x2+float64(x[i])*float64(x[i])
		}
		got := report.Tensors[0].RMSE()
		if want := math.Sqrt(e2 / float64(len(x))); math.Abs(got-want) > 1e-12*want || got == 0 {
			t.Errorf("RMSE %v, want %v", got, want)
		}
		if got, want := report.Tensors[0].RelativeError(), math.Sqrt(e2/x2); math.Abs(got-want) > 1e-12*want {
			t.Errorf("relative error %v, want %v", got, want)
		}
		if first == 0 {
			first = got
		}
		if got != first {
			t.Errorf("RMSE %v by %d rows, %v by one", got, step, first)
		}
	}
}

// The file does not depend on workers and memory.
func TestQuantizeSameBytes(t *testing.T) {
	matrix, err := imatrix.Open(quantizeGoldens + "imatrix-moe8-bf16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer matrix.Close()
	dir := t.TempDir()
	var first string
	for i, o := range []Options{{}, {Workers: 1}, {Workers: 7}, {Memory: 1 << 16}, {Workers: 3, Memory: 1 << 18}} {
		m, err := formats.Open(quantizeGoldens + "moe8-bf16.gguf")
		if err != nil {
			t.Fatal(err)
		}
		q, _, err := Quantize(m, QuantizeOptions{Imatrix: matrix, Recipe: recipe.Options{FType: recipe.Q4_K_M}})
		if err != nil {
			t.Fatal(err)
		}
		l, err := gguf.Layout(q, gguf.LayoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, string(rune('a'+i))+".gguf")
		if err := Write(context.Background(), l, path, o); err != nil {
			t.Fatal(err)
		}
		sum := hexSum(readFile(t, path))
		if first == "" {
			first = sum
		}
		if sum != first {
			t.Errorf("%+v gives another file", o)
		}
		m.Close()
	}
}

func TestParseOverrideKV(t *testing.T) {
	for s, want := range map[string]any{
		"a=int:-7": uint32(7), "a=int:4294967295": uint32(4294967295), "a=float:0.5": float32(0.5), "a=bool:true": true,
		"a=str:x=y:z": "x=y:z", "a=str:": "",
	} {
		if kv, err := ParseOverrideKV(s); err != nil || kv.Key != "a" || kv.Value != want {
			t.Errorf("%s: %v, %v", s, kv, err)
		}
	}
	for _, s := range []string{"a", "a=1", "=int:1", "a=int:x", "a=int:4294967296", "a=bool:1", "a=long:1", "a=float:"} {
		if kv, err := ParseOverrideKV(s); err == nil {
			t.Errorf("%s: %v", s, kv)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
