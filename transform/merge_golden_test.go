package transform_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	_ "github.com/loratool/loratool/formats/torch"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
)

// A goldenCase is what testdata/peft/*/case.json says; see testdata/README.md.
type goldenCase struct {
	Name        string
	CommandHint string    `json:"command_hint"`
	Expect      string    // "merge" or "error"
	ErrorAbout  string    `json:"error_about"`
	Weights     []float64 // strengths
	Tolerance   struct {
		ExactFraction float64 `json:"exact_fraction"`
		MaxULP        int64   `json:"max_ulp"`
		AbsTol        float64 `json:"abs_tol"`
	}
	ExpectedConfig map[string]any `json:"expected_config"`
}

// goldenCases lists the folders of the cases that begin with prefix.
func goldenCases(t *testing.T, pattern string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("../testdata/peft", pattern, "case.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases in testdata/peft/%s", pattern)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

func readCase(t *testing.T, dir string) (c goldenCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// options returns how the case is to be merged, by its hint.
func (c *goldenCase) options() (o transform.MergeOptions) {
	switch {
	case strings.Contains(c.CommandHint, "safe_merge"):
		o.Rounding = transform.RoundPEFTSafe
	case strings.Contains(c.CommandHint, "PEFT's"):
		o.Rounding = transform.RoundPEFT
	}
	if strings.Contains(c.CommandHint, "recomputing") {
		o.BaseIs = adapter.BaseOriginal
	}
	o.GrowVocab = strings.Contains(c.CommandHint, "vocabulary to grow")
	return o
}

// mergeCase merges a case into a folder and returns what came of it.
func mergeCase(t *testing.T, dir, out string, c *goldenCase, o transform.MergeOptions) error {
	base, err := hf.Open(filepath.Join(dir, "base"))
	if err != nil {
		return err
	}
	defer base.Close()
	paths, _ := filepath.Glob(filepath.Join(dir, "adapter*"))
	var adapters []adapter.Weighted
	for i, path := range paths {
		a, err := adapter.Open(path)
		if err != nil {
			return err
		}
		defer a.Close()
		strength := 1.0
		if c.Weights != nil {
			strength = c.Weights[i]
		}
		adapters = append(adapters, adapter.Weighted{Adapter: a, Strength: strength})
	}
	merged, _, err := transform.Merge(base, adapters, o)
	if err != nil {
		return err
	}
	layout, err := hf.Layout(merged, hf.LayoutOptions{})
	if err != nil {
		return err
	}
	return transform.Write(t.Context(), layout, out, transform.Options{Workers: 2})
}

// TestMergeGoldens merges what PEFT merged and compares. Where PEFT rounds twice
// or is wrong, the expected result is the formula's.
func TestMergeGoldens(t *testing.T) {
	dirs := append(goldenCases(t, "*"), goldenCases(t, "other_tuners/*")...)
	for _, dir := range dirs {
		c := readCase(t, dir)
		t.Run(c.Name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			if err := mergeCase(t, dir, out, &c, c.options()); err != nil {
				t.Fatal(err)
			}
			if err := judge(dir, out, &c); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMergeRefuses merges what must not be merged.
func TestMergeRefuses(t *testing.T) {
	for _, dir := range goldenCases(t, "errors/*") {
		c := readCase(t, dir)
		t.Run(strings.TrimPrefix(c.Name, "errors/"), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			err := mergeCase(t, dir, out, &c, c.options())
			switch {
			case err == nil:
				t.Fatalf("merged, want an error about %q", c.ErrorAbout)
			case !strings.Contains(err.Error(), c.ErrorAbout):
				t.Errorf("error %q does not speak of %q", err, c.ErrorAbout)
			case !errors.Is(err, formats.ErrMismatch) && !errors.Is(err, formats.ErrFormat) && !errors.Is(err, formats.ErrUnsupported) &&
				!errors.Is(err, formats.ErrTruncated) && !errors.Is(err, os.ErrNotExist):
				t.Errorf("error %q is of no kind", err)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("there is an output")
			}
			t.Log(err)
		})
	}
}

// judge compares a merged checkpoint with the expected one: same names, number
// formats and shapes; tensors that do not change bit by bit; of the others, so
// many elements equal and none further off than the case allows.
func judge(dir, out string, c *goldenCase) error {
	want, err := formats.Open(filepath.Join(dir, "expected.safetensors"))
	if err != nil {
		return err
	}
	defer want.Close()
	if err := judgeTensors(dir, out, want, c); err != nil {
		return err
	}
	return judgeConfig(out, c)
}

func judgeTensors(dir, out string, want *formats.Model, c *goldenCase) error {
	got, err := hf.Open(out)
	if err != nil {
		return err
	}
	defer got.Close()
	base, err := hf.Open(filepath.Join(dir, "base"))
	if err != nil {
		return err
	}
	defer base.Close()
	if g, w := names(got), names(want); !slices.Equal(g, w) {
		return fmt.Errorf("tensors %v, want %v", without(g, w), without(w, g))
	}
	var equal, total int
	for _, w := range want.Tensors {
		g := got.Tensor(w.Name)
		if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) {
			return fmt.Errorf("%s is %v, want %v", w.Name, &g.Info, &w.Info)
		}
		gb, wb := data(g), data(w)
		if b := base.Tensor(w.Name); b != nil && b.DType == w.DType && slices.Equal(data(b), wb) || !w.DType.IsFloat() {
			if !slices.Equal(gb, wb) {
				return fmt.Errorf("%s must stay as in the base", w.Name)
			}
			continue
		}
		n, err := compareData(w.DType, gb, wb, c)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		equal, total = equal+n, total+w.NumElements()
	}
	if share := float64(equal) / float64(max(1, total)); share < c.Tolerance.ExactFraction {
		return fmt.Errorf("%v of the elements are equal, want %v", share, c.Tolerance.ExactFraction)
	}
	return nil
}

func judgeConfig(out string, c *goldenCase) error {
	data, err := os.ReadFile(filepath.Join(out, "config.json"))
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		return err
	}
	for k, v := range c.ExpectedConfig {
		if got, ok := config[k]; got != v && (ok || k != "tie_word_embeddings") {
			return fmt.Errorf("config.json: %s is %v, want %v", k, got, v)
		}
	}
	return nil
}

// compareData counts equal elements.
func compareData(d formats.DType, got, want []byte, c *goldenCase) (equal int, err error) {
	size := d.BlockBytes()
	g, w := make([]float32, len(got)/size), make([]float32, len(want)/size)
	formats.Decoder(d)(g, got)
	formats.Decoder(d)(w, want)
	for i := range w {
		if math.IsNaN(float64(g[i])) || math.IsInf(float64(g[i]), 0) {
			return 0, fmt.Errorf("element %d is %v", i, g[i])
		}
		ulps := ordered(got[i*size:(i+1)*size]) - ordered(want[i*size:(i+1)*size])
		if ulps == 0 {
			equal++
			continue
		}
		if max(ulps, -ulps) > c.Tolerance.MaxULP && math.Abs(float64(g[i])-float64(w[i])) > c.Tolerance.AbsTol {
			return 0, fmt.Errorf("element %d is %v, want %v (%d ulps)", i, g[i], w[i], ulps)
		}
	}
	return equal, nil
}

// ordered maps the bits of a floating-point number to integers in the order of
// the numbers, neighbours to neighbours.
func ordered(b []byte) int64 {
	var raw [8]byte
	copy(raw[8-len(b):], b)
	v := int64(binary.LittleEndian.Uint64(raw[:]))
	shift := 64 - 8*len(b)
	if v < 0 {
		return -((v & math.MaxInt64) >> shift)
	}
	return v >> shift
}

func names(m *formats.Model) []string {
	var list []string
	for _, t := range m.Tensors {
		list = append(list, t.Name)
	}
	slices.Sort(list)
	return list
}

// without returns the names of a list that the other one lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// data returns all bytes of a tensor.
func data(t *formats.Tensor) []byte {
	b := make([]byte, t.NumBytes())
	if err := t.ReadRows(context.Background(), b, 0, t.NumRows()); err != nil {
		panic(err)
	}
	return b
}
