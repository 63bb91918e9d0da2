package shrink_test

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/shrink"
)

// TestQuantizeGptOss writes the experts of gpt-oss as a checkpoint of it has them, and
// leaves all else.
func TestQuantizeGptOss(t *testing.T) {
	base, want := open(t, goldens+"/read_base_gptoss"), open(t, goldens+"/read/gptoss-mxfp4")
	m, report, err := shrink.Quantize(base, shrink.MXFP4, shrink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Loader != "transformers, vLLM" || report.Quantized() != 2 || len(report.Notes) > 0 {
		t.Errorf("for %q, %d quantized, notes %q", report.Loader, report.Quantized(), report.Notes)
	}
	if len(m.Tensors) != len(want.Tensors) {
		t.Errorf("%d tensors, want %d", len(m.Tensors), len(want.Tensors))
	}
	for _, w := range want.Tensors {
		x := m.Tensor(w.Name)
		if x == nil || x.DType != w.DType || !slices.Equal(x.Shape, w.Shape) {
			t.Errorf("%s is %v, want %v", w.Name, x, &w.Info)
			continue
		}
		if d := digest(t, x); d != digest(t, w) && !strings.HasSuffix(w.Name, "_blocks") {
			t.Errorf("%s: the bytes differ", w.Name)
		}
	}
	// The golden has another of two equally near codes, and zeros with a sign.
	sameErrors(t, base, m, want)
	got, err := hf.Config(m)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := hf.Config(want)
	if err != nil {
		t.Fatal(err)
	}
	text := func(c *strictjson.Object) string {
		return string(strictjson.Append(nil, c.Object("quantization_config")))
	}
	if text(got) != text(golden) {
		t.Errorf("the config says %s, want %s", text(got), text(golden))
	}
}

// sameErrors says that each number of a is as far from the source as that of b.
func sameErrors(t *testing.T, source, a, b *formats.Model) {
	t.Helper()
	a, _, err := shrink.Dequantize(a)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err = shrink.Dequantize(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range source.Tensors {
		w, p, q := numbers(t, x, 5), numbers(t, a.Tensor(x.Name), 5), numbers(t, b.Tensor(x.Name), 7)
		for i, v := range w {
			if v := float64(v); math.Abs(float64(p[i])-v) != math.Abs(float64(q[i])-v) {
				t.Errorf("%s: element %d, %v, becomes %v, want %v", x.Name, i, v, p[i], q[i])
				break
			}
		}
	}
}

// TestQuantizeGptOssAgain says that what was in MXFP4 keeps its values when it is
// quantized anew: each has a code in the finer scale, too, that a group of small values
// then gets.
func TestQuantizeGptOssAgain(t *testing.T) {
	plain, _, err := shrink.Dequantize(open(t, goldens+"/read/gptoss-mxfp4"))
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := shrink.Quantize(plain, shrink.MXFP4, shrink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := shrink.Dequantize(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range plain.Tensors {
		compare(t, again.Tensor(x.Name), x, x.Name, 0)
	}
}

// TestQuantizeGptOssSkips leaves experts as they are, and says so to the loader.
func TestQuantizeGptOssSkips(t *testing.T) {
	const experts = "model.layers.0.mlp.experts"
	base := open(t, goldens+"/read_base_gptoss")
	_, _, err := shrink.Quantize(base, shrink.MXFP4, shrink.Options{Skip: []*regexp.Regexp{regexp.MustCompile(`layers\.0\.`)}})
	if err == nil || !strings.Contains(err.Error(), "no matrix can be quantized") {
		t.Errorf("without its only experts: %v", err)
	}
	base.Tensors = append(base.Tensors, secondLayer(base)...)
	m, report, err := shrink.Quantize(base, shrink.MXFP4, shrink.Options{Skip: []*regexp.Regexp{regexp.MustCompile(`layers\.0\.`)}})
	if err != nil {
		t.Fatal(err)
	}
	config, err := hf.Config(m)
	if err != nil {
		t.Fatal(err)
	}
	if list := config.Object("quantization_config").Array("modules_to_not_convert"); !slices.Contains(list, strictjson.Value(experts)) || len(list) != 5 {
		t.Errorf("modules_to_not_convert is %v, without %s", list, experts)
	}
	if report.Quantized() != 2 || m.Tensor(experts+".gate_up_proj") == nil || m.Tensor("model.layers.1.mlp.experts.gate_up_proj_blocks") == nil {
		t.Errorf("%d tensors are quantized, want the 2 of the second layer", report.Quantized())
	}
	o := shrink.Options{Modules: []shrink.Override{{regexp.MustCompile(`.`), shrink.FP8}}}
	if _, _, err := shrink.Quantize(base, shrink.MXFP4, o); err == nil || !strings.Contains(err.Error(), "not of other types") {
		t.Errorf("with experts of another type: %v", err)
	}
}

// secondLayer returns the first layer's tensors under the names of a second one.
func secondLayer(m *formats.Model) (out []*formats.Tensor) {
	for _, t := range m.Tensors {
		if rest, ok := strings.CutPrefix(t.Name, "model.layers.0."); ok {
			info := t.Info
			info.Name = "model.layers.1." + rest
			out = append(out, &formats.Tensor{Info: info, Rows: t.Rows})
		}
	}
	return out
}

// TestQuantizeGptOssUnwritten says that experts which are being quantized are read as
// what their written codes stand for, by any rows.
func TestQuantizeGptOssUnwritten(t *testing.T) {
	for _, search := range []bool{false, true} {
		m, _, err := shrink.Quantize(open(t, goldens+"/read_base_gptoss"), shrink.MXFP4, shrink.Options{Search: search})
		if err != nil {
			t.Fatal(err)
		}
		l, err := hf.Layout(m, hf.LayoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "written")
		if err := transform.Write(t.Context(), l, dir, transform.Options{}); err != nil {
			t.Fatal(err)
		}
		unwritten, _, err := shrink.Dequantize(m)
		if err != nil {
			t.Fatal(err)
		}
		written, _, err := shrink.Dequantize(open(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range written.Tensors {
			compare(t, unwritten.Tensor(x.Name), x, x.Name, 0)
		}
	}
}
