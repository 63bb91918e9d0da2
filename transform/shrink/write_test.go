package shrink_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/shrink"
)

// caseTypes are what the goldens of writing are called.
var caseTypes = map[string]shrink.Type{
	"bnb-nf4": shrink.NF4, "bnb-nf4-dq": shrink.NF4DQ, "bnb-int8": shrink.Int8, "mlx-4bit-g64": shrink.MLX4, "mlx-8bit-g64": shrink.MLX8,
	"ct-w4a16-g128": shrink.W4A16, "ct-fp8-channel": shrink.FP8, "fp8-block128": shrink.FP8Block, "nvfp4a16": shrink.NVFP4, "mxfp4": shrink.MXFP4,
}

// TestQuantize compares what is written with the goldens: bytes where they are defined
// by the loader's own quantizer, and the error elsewhere.
func TestQuantize(t *testing.T) {
	cases, _ := filepath.Glob(goldens + "/write*/*")
	if len(cases) != 13 {
		t.Fatalf("there are %d goldens, want 13", len(cases))
	}
	for _, dir := range cases {
		name := filepath.Base(dir)
		for _, search := range []bool{false, true} {
			o := shrink.Options{Search: search}
			label := filepath.Base(filepath.Dir(dir)) + "/" + name
			if search {
				info, _ := shrink.ParseType(string(caseTypes[name]))
				if !info.Search {
					continue
				}
				label += "/search"
			}
			t.Run(label, func(t *testing.T) { checkWrite(t, dir, caseTypes[name], o) })
		}
	}
}

func checkWrite(t *testing.T, dir string, typ shrink.Type, o shrink.Options) {
	e := readExpected(t, dir)
	base := open(t, filepath.Join(dir, e.Base))
	m, _, err := shrink.Quantize(base, typ, o)
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for _, x := range m.Tensors {
		want, ok := e.Tensors[x.Name]
		if !ok {
			t.Errorf("unexpected %s %v", x.Name, &x.Info)
			continue
		}
		if d := x.DType.String(); d != want.DType && !slices.Contains(want.DTypeAlternatives, d) {
			t.Errorf("%s is %s, want %s", x.Name, d, want.DType)
		}
		if !want.ShapeFree && !slices.Equal(x.Shape, want.Shape) {
			t.Errorf("%s is %v, want %v", x.Name, x.Shape, want.Shape)
		}
		digests[x.Name] = digest(t, x)
		if want.ByteExact && digests[x.Name] != want.SHA256 {
			t.Errorf("%s: the bytes differ", x.Name)
		}
	}
	for name, want := range e.Tensors {
		if m.Tensor(name) == nil && !want.Optional {
			t.Errorf("%s is missing", name)
		}
	}
	for _, group := range e.EqualGroups {
		for _, name := range group {
			if digests[name] != digests[group[0]] {
				t.Errorf("%s and %s differ", name, group[0])
			}
		}
	}
	checkConfig(t, m, &e)
	plain, source, err := shrink.Dequantize(m)
	if err != nil {
		t.Fatal(err)
	}
	if source.Count == 0 {
		t.Error("nothing is quantized")
	}
	for name, want := range e.Weights {
		got := plain.Tensor(name)
		if got == nil {
			t.Errorf("%s is not decoded", name)
			continue
		}
		if r := relativeError(numbers(t, got, 7), numbers(t, base.Tensor(name), 7)); !(r <= want.MaxRelRMS) {
			t.Errorf("%s: the relative error is %.5f, more than %.5f", name, r, want.MaxRelRMS)
		}
	}
}

// digest reads a tensor in pieces of different sizes, which must not matter.
func digest(t *testing.T, x *formats.Tensor) string {
	t.Helper()
	sums := map[string]int{}
	for _, step := range []int{x.NumRows(), 1, 5} {
		if step == 1 && x.NumRows() > 1000 {
			step = 333
		}
		h := sha256.New()
		for lo := 0; lo < x.NumRows(); lo += step {
			hi := min(lo+step, x.NumRows())
			b := make([]byte, int64(hi-lo)*x.RowBytes())
			if err := x.ReadRows(context.Background(), b, lo, hi); err != nil {
				t.Fatalf("%s: %v", x.Name, err)
			}
			h.Write(b)
		}
		sums[hex.EncodeToString(h.Sum(nil))] = step
	}
	if len(sums) != 1 {
		t.Errorf("%s: the bytes depend on how many rows are read at a time", x.Name)
	}
	for s := range sums {
		return s
	}
	return ""
}

func relativeError(got, want []float32) float64 {
	var d, n float64
	for i, w := range want {
		d += (float64(got[i]) - float64(w)) * (float64(got[i]) - float64(w))
		n += float64(w) * float64(w)
	}
	if n == 0 {
		return d
	}
	return math.Sqrt(d / n)
}

// checkConfig says that the config has what the loader needs, and names every linear
// layer that stays as it is.
func checkConfig(t *testing.T, m *formats.Model, e *expected) {
	t.Helper()
	config, err := hf.Config(m)
	if err != nil {
		t.Fatal(err)
	}
	key := "quantization_config"
	if strings.HasPrefix(e.Format, "mlx") {
		key = "quantization"
	}
	block := config.Object(key)
	subset(t, e.ConfigRequired, block, key)
	field := map[string]string{"bitsandbytes": "llm_int8_skip_modules", "compressed-tensors": "ignore", "fp8": "modules_to_not_convert"}[block.String("quant_method")]
	if field == "" {
		return
	}
	for _, module := range e.UnquantizedLinears {
		if !slices.Contains(block.Array(field), strictjson.Value(module)) {
			t.Errorf("%s does not name %s", field, module)
		}
	}
}

func subset(t *testing.T, want map[string]any, have *strictjson.Object, at string) {
	t.Helper()
	for k, v := range want {
		got, ok := have.Lookup(k)
		if m, isMap := v.(map[string]any); isMap {
			subset(t, m, have.Object(k), at+"."+k)
		} else if !ok || !reflect.DeepEqual(plainValue(got), v) {
			t.Errorf("%s.%s is %v, want %v", at, k, got, v)
		}
	}
}

// plainValue returns a value as encoding/json has it.
func plainValue(v strictjson.Value) any {
	switch v := v.(type) {
	case strictjson.Number:
		return v.Float()
	case strictjson.Array:
		out := []any{}
		for _, x := range v {
			out = append(out, plainValue(x))
		}
		return out
	}
	return v
}

// TestQuantizeRefuses says which combinations no loader could load, or mean nothing.
func TestQuantizeRefuses(t *testing.T) {
	base, moe := open(t, goldens+"/base"), open(t, goldens+"/base_moe")
	quantized := open(t, goldens+"/read/bnb-nf4")
	all := regexp.MustCompile(`.`)
	for _, c := range []struct {
		m    *formats.Model
		typ  shrink.Type
		o    shrink.Options
		want string
	}{
		{moe, shrink.NF4, shrink.Options{}, "it has experts"},
		{moe, shrink.Int8, shrink.Options{}, "it has experts"},
		{quantized, shrink.NF4, shrink.Options{}, "quantized already"},
		{base, "q4", shrink.Options{}, `no type "q4"`},
		{base, shrink.NF4, shrink.Options{GroupSize: 32}, "the groups of nf4 are of one size"},
		{base, shrink.MLX4, shrink.Options{GroupSize: 48}, "can't be of 48 weights"},
		{base, shrink.FP8, shrink.Options{Search: true}, "no search for fp8"},
		{base, shrink.NF4, shrink.Options{Modules: []shrink.Override{{all, shrink.MLX4}}}, "can't be in one checkpoint"},
		{base, shrink.NF4, shrink.Options{Modules: []shrink.Override{{all, shrink.NF4DQ}}}, "one type a checkpoint"},
		{base, shrink.W4A16, shrink.Options{Skip: []*regexp.Regexp{all}}, "no matrix can be quantized"},
	} {
		_, _, err := shrink.Quantize(c.m, c.typ, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %+v: %v, want an error with %q", c.typ, c.o, err, c.want)
		}
	}
	if _, _, err := shrink.Quantize(moe, shrink.NF4, shrink.Options{Skip: []*regexp.Regexp{regexp.MustCompile(`\.experts\.`)}}); err != nil {
		t.Errorf("nf4 without the experts: %v", err)
	}
}

// TestQuantizeMixed gives modules types of their own.
func TestQuantizeMixed(t *testing.T) {
	base := open(t, goldens+"/base")
	for _, c := range []struct{ typ, other shrink.Type }{{shrink.MLX4, shrink.MLX8}, {shrink.W4A16, shrink.FP8}, {shrink.NVFP4, shrink.MXFP4}} {
		o := shrink.Options{Modules: []shrink.Override{{regexp.MustCompile(`down_proj$`), c.other}}}
		m, report, err := shrink.Quantize(base, c.typ, o)
		if err != nil {
			t.Fatal(err)
		}
		plain, _, err := shrink.Dequantize(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range report.Matrices {
			if strings.Contains(x.Name, "down_proj") && x.Type != c.other {
				t.Errorf("%s is %q, want %q", x.Name, x.Type, c.other)
			}
			if r := relativeError(numbers(t, plain.Tensor(x.Name), 9), numbers(t, base.Tensor(x.Name), 9)); r > 0.3 {
				t.Errorf("%s with %s and %s: the relative error is %.3f", x.Name, c.typ, c.other, r)
			}
		}
	}
}
