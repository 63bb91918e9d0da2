package transform_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
)

// openCase opens the base and the adapters of a case.
func openCase(t *testing.T, dir string, strengths ...float64) (*formats.Model, []adapter.Weighted) {
	t.Helper()
	base, err := hf.Open(filepath.Join(dir, "base"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	paths, _ := filepath.Glob(filepath.Join(dir, "adapter*"))
	var adapters []adapter.Weighted
	for i, path := range paths {
		a, err := adapter.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Close() })
		w := adapter.Weighted{Adapter: a, Strength: 1}
		if i < len(strengths) {
			w.Strength = strengths[i]
		}
		adapters = append(adapters, w)
	}
	return base, adapters
}

func peftCase(name string) string { return filepath.Join("../testdata/peft", name) }

// TestMergedTensorsKeepPromises reads the tensors of every merge in all divisions
// of rows: they are the same bytes.
func TestMergedTensorsKeepPromises(t *testing.T) {
	for _, dir := range append(goldenCases(t, "*"), goldenCases(t, "other_tuners/*")...) {
		c := readCase(t, dir)
		t.Run(c.Name, func(t *testing.T) {
			base, adapters := openCase(t, dir)
			merged, _, err := transform.Merge(base, adapters, c.options())
			if err != nil {
				t.Fatal(err)
			}
			computed := &formats.Model{Path: merged.Path, Format: merged.Format, Metadata: merged.Metadata, Inputs: merged.Inputs}
			computed.Tensors = slices.DeleteFunc(slices.Clone(merged.Tensors), func(x *formats.Tensor) bool { return x.Extent() != nil })
			formatstest.Check(t, computed)
		})
	}
}

// TestMergeOnEveryImplementation merges with each set of kernels.
func TestMergeOnEveryImplementation(t *testing.T) {
	for _, name := range []string{"linear_bf16", "gpt2_conv1d", "dora_conv2d", "moe_gpt_oss", "dora_embedding", "two_adapters_weighted", "pissa",
		"other_tuners/loha_conv_tucker", "other_tuners/lokr", "other_tuners/oft", "other_tuners/hra", "other_tuners/vera"} {
		dir := peftCase(name)
		c := readCase(t, dir)
		base, adapters := openCase(t, dir, c.Weights...)
		var want [][]byte
		for _, implementation := range append([]string{""}, kernels.Implementations()...) {
			if err := kernels.Use(strings.Fields(implementation)...); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { kernels.Use(kernels.Implementations()...) })
			merged, _, err := transform.Merge(base, adapters, c.options())
			if err != nil {
				t.Fatal(err)
			}
			var got [][]byte
			for _, x := range merged.Tensors {
				got = append(got, data(x))
			}
			if want == nil {
				want = got
			}
			for i := range got {
				if !slices.Equal(got[i], want[i]) {
					t.Errorf("%s: %s differs with %q", name, merged.Tensors[i].Name, implementation)
				}
			}
		}
	}
}

// mergedDigest is the SHA-256 of all tensors of all merges of testdata/peft. It is
// the same on every machine.
const mergedDigest = "e2d2d45abbb441cb1f3850777850d650039b0b779ccbca2c05e1d0cecabd5cbf"

func TestMergeGivesTheSameBytesEverywhere(t *testing.T) {
	h := sha256.New()
	for _, dir := range append(goldenCases(t, "*"), goldenCases(t, "other_tuners/*")...) {
		c := readCase(t, dir)
		base, adapters := openCase(t, dir, c.Weights...)
		merged, _, err := transform.Merge(base, adapters, c.options())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range merged.Tensors {
			h.Write(data(x))
		}
	}
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != mergedDigest {
		t.Errorf("SHA-256 %s, want %s", got, mergedDigest)
	}
}

// TestMergeIsCommutative names two adapters in both orders.
func TestMergeIsCommutative(t *testing.T) {
	base, adapters := openCase(t, peftCase("two_adapters_weighted"), 0.7, -0.4)
	one, _, err := transform.Merge(base, adapters, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(adapters)
	other, _, err := transform.Merge(base, adapters, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	formatstest.Same(t, one, other)
}

// TestMergeTwiceIsRefused merges into a merged model.
func TestMergeTwiceIsRefused(t *testing.T) {
	base, adapters := openCase(t, peftCase("pattern_anchor"))
	merged, _, err := transform.Merge(base, adapters, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = transform.Merge(merged, adapters, transform.MergeOptions{})
	if !errors.Is(err, formats.ErrMismatch) || !strings.Contains(err.Error(), "already") {
		t.Errorf("the second merge: %v, want a refusal", err)
	}
	if _, _, err := transform.Merge(merged, adapters, transform.MergeOptions{AllowRepeat: true}); err != nil {
		t.Error(err)
	}
	_, others := openCase(t, peftCase("rslora"))
	if _, _, err := transform.Merge(merged, others, transform.MergeOptions{}); err != nil {
		t.Errorf("another adapter: %v", err)
	}
}

// TestMergeToAnotherFormat rounds once, from the sum in float32.
func TestMergeToAnotherFormat(t *testing.T) {
	base, adapters := openCase(t, peftCase("linear_bf16"))
	wide, _, err := transform.Merge(base, adapters, transform.MergeOptions{DType: formats.F32})
	if err != nil {
		t.Fatal(err)
	}
	narrow, _, err := transform.Merge(base, adapters, transform.MergeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range wide.Tensors {
		if x.DType != formats.F32 {
			t.Errorf("%s is %v", x.Name, x.DType)
		}
		y := narrow.Tensors[i]
		w := make([]float32, x.NumElements())
		formats.Decoder(formats.F32)(w, data(x))
		rounded := make([]byte, y.NumBytes())
		formats.Encoder(y.DType)(rounded, w)
		if !slices.Equal(rounded, data(y)) {
			t.Errorf("%s: rounding the float32 result does not give the bfloat16 one", x.Name)
		}
	}
	config, err := hf.Config(wide)
	if err != nil || config.String("dtype") != "float32" {
		t.Errorf("config.json has dtype %q, %v", config.String("dtype"), err)
	}
}

// TestMergeAccountsForEverything takes away each tensor of some adapters in turn,
// or gives it another name or shape: no such adapter may pass.
func TestMergeAccountsForEverything(t *testing.T) {
	variants := 0
	for _, name := range []string{"linear_bf16", "dora_linear", "lora_bias", "embedding_untied", "modules_to_save_infix", "trainable_tokens_dict_untied",
		"moe_mixtral_v5", "mha", "conv2d", "gpt2_conv1d", "layer_replication",
		"other_tuners/adalora", "other_tuners/ia3", "other_tuners/loha", "other_tuners/loha_conv_tucker", "other_tuners/lokr", "other_tuners/vera", "other_tuners/oft",
		"other_tuners/boft", "other_tuners/hra", "other_tuners/miss_bat", "other_tuners/shira", "other_tuners/c3a", "other_tuners/trainable_tokens"} {
		base, adapters := openCase(t, peftCase(name))
		a := adapters[0].Adapter
		for i, x := range a.Weights.Tensors {
			if strings.Contains(x.Name, "base_layer.weight") {
				continue // a copy of the base's values, which nobody misses
			}
			renamed, reshaped := *x, *x
			module := adapter.ParseKey(x.Name).Module
			last := module[strings.LastIndexByte(module, '.')+1:]
			renamed.Name = strings.Replace(x.Name, last+".", last+"x.", 1)
			reshaped.Shape = append(slices.Clone(x.Shape[:len(x.Shape)-1]), x.Shape[len(x.Shape)-1]+1)
			for what, tensors := range map[string][]*formats.Tensor{
				"dropped":  slices.Delete(slices.Clone(a.Weights.Tensors), i, i+1),
				"renamed":  slices.Replace(slices.Clone(a.Weights.Tensors), i, i+1, &renamed),
				"reshaped": slices.Replace(slices.Clone(a.Weights.Tensors), i, i+1, &reshaped),
			} {
				m := &formats.Model{Path: a.Weights.Path, Tensors: tensors, Inputs: a.Weights.Inputs}
				variant := adapter.Weighted{Adapter: adapter.New(m, a.Config), Strength: 1}
				variants++
				if what == "renamed" && module == "" || what == "reshaped" && x.Name == "base_model.vera_A" {
					continue // VeRA's shared matrices may be larger than a module needs
				}
				_, _, err := transform.Merge(base, []adapter.Weighted{variant}, transform.MergeOptions{HeadersOnly: true})
				if !errors.Is(err, formats.ErrMismatch) {
					t.Errorf("%s: %s %s: %v, want a refusal", name, what, x.Name, err)
				}
			}
		}
	}
	t.Logf("%d variants", variants)
}

// TestMergeAllowsUnmatched leaves out a module that the base lacks, and says so.
func TestMergeAllowsUnmatched(t *testing.T) {
	base, adapters := openCase(t, peftCase("errors/extra_module"))
	merged, report, err := transform.Merge(base, adapters, transform.MergeOptions{AllowUnmatched: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Unmatched) != 2 || !strings.Contains(report.Unmatched[0].Name, "layers.7") {
		t.Errorf("unmatched: %v", report.Unmatched)
	}
	if len(report.Tensors) != 3 || len(merged.Tensors) != len(base.Tensors) {
		t.Errorf("%d tensors of %d merged", len(report.Tensors), len(merged.Tensors))
	}
}

// headersOnly is a file whose data can't be read.
type headersOnly struct {
	io.ReaderAt
	data int64 // where it begins
}

func (h headersOnly) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > h.data {
		return 0, errors.New("tensor data was read")
	}
	return h.ReaderAt.ReadAt(p, off)
}

// TestDryRunReadsHeadersOnly plans all merges with tensors whose data is out of
// reach.
func TestDryRunReadsHeadersOnly(t *testing.T) {
	for _, dir := range append(goldenCases(t, "*"), goldenCases(t, "other_tuners/*")...) {
		c := readCase(t, dir)
		base, adapters := openCase(t, dir)
		for _, m := range append([]*formats.Model{base}, weights(adapters)...) {
			for _, f := range m.Inputs {
				f.ReaderAt = headersOnly{f.ReaderAt, 0}
			}
		}
		o := c.options()
		o.HeadersOnly = true
		if _, _, err := transform.Merge(base, adapters, o); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func weights(adapters []adapter.Weighted) (models []*formats.Model) {
	for _, a := range adapters {
		models = append(models, a.Weights)
	}
	return models
}

// TestMergeTakesTheTokenizer takes over the tokenizer of an adapter that brings a
// vocabulary of its own, and of no other.
func TestMergeTakesTheTokenizer(t *testing.T) {
	for name, want := range map[string]string{"resized_vocab_saved_embeddings": "the adapter's", "linear_bf16": "the base's"} {
		base, adapters := openCase(t, peftCase(name))
		base.Files = append(base.Files, formats.Asset{Name: "tokenizer.json", Data: []byte("the base's")})
		adapters[0].Files = []formats.Asset{{Name: "tokenizer.json", Data: []byte("the adapter's")}, {Name: "added_tokens.json", Data: []byte("{}")}}
		merged, _, err := transform.Merge(base, adapters, transform.MergeOptions{GrowVocab: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := merged.Asset("tokenizer.json").Read()
		if err != nil || string(got) != want {
			t.Errorf("%s: the tokenizer is %q, want %s (%v)", name, got, want, err)
		}
		if added := merged.Asset("added_tokens.json") != nil; added != (want == "the adapter's") {
			t.Errorf("%s: added_tokens.json is there: %v", name, added)
		}
	}
}

func ExampleMerge() {
	base, err := hf.Open("../testdata/peft/lora_bias/base")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer base.Close()
	a, err := adapter.Open("../testdata/peft/lora_bias/adapter")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	merged, report, err := transform.Merge(base, []adapter.Weighted{{Adapter: a, Strength: 1}}, transform.MergeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range report.Tensors[:2] {
		fmt.Println(t.Action, t.Name, t.Ops[0].Kind, "times", t.Ops[0].Scale)
	}
	// Nothing has been computed yet. transform.Write would do it for all rows;
	// here are those of one tensor.
	t := merged.Tensor("model.layers.0.self_attn.q_proj.bias")
	bias := make([]float32, t.NumElements())
	if err := t.ReadFloats(context.Background(), bias, 0, 1); err != nil {
		fmt.Println(err)
	}
	fmt.Println(bias[:4])
	// Output:
	// merged model.layers.0.self_attn.q_proj.bias bias times 2
	// merged model.layers.0.self_attn.q_proj.weight lora times 2
	// [0.016357422 0.12988281 0.020996094 0.08691406]
}
