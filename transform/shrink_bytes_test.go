package transform_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/shrink"
)

// TestShrinkSameBytes writes every type of checkpoint with different numbers of workers,
// budgets of memory and instruction sets: the files are the same.
func TestShrinkSameBytes(t *testing.T) {
	before := kernels.Implementations()
	defer kernels.Use(before...)
	sets := [][]string{{}} // generic code
	for _, name := range before {
		sets = append(sets, []string{name})
	}
	options := []transform.Options{{Workers: 1}, {Workers: 3, Memory: 200 << 10}, {Workers: 3}, {Workers: 1, Memory: 1}}
	if testing.Short() {
		options = options[:2]
	}
	type testCase struct {
		model  string
		typ    shrink.Type
		search bool
	}
	cases := []testCase{{"base_moe", shrink.MLX4, false}, {"base_moe", shrink.MXFP4, false},
		{"read_base_gptoss", shrink.MXFP4, false}, {"read_base_gptoss", shrink.MXFP4, true}}
	for _, typ := range shrink.Types {
		cases = append(cases, testCase{"base", typ.Type, false})
		if typ.Search {
			cases = append(cases, testCase{"base", typ.Type, true})
		}
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s/%s/search=%v", c.model, c.typ, c.search), func(t *testing.T) {
			var want string
			for _, set := range sets {
				if err := kernels.Use(set...); err != nil {
					t.Fatal(err)
				}
				for _, o := range options {
					got := shrunk(t, c.model, c.typ, shrink.Options{Search: c.search}, o)
					if want == "" {
						want = got
					}
					if got != want {
						t.Errorf("with %v, %d workers and a budget of %d bytes it is other files", set, o.Workers, o.Memory)
					}
				}
			}
		})
	}
}

// shrunk quantizes a model, writes it, and returns the digest of the files.
func shrunk(t *testing.T, model string, typ shrink.Type, so shrink.Options, o transform.Options) string {
	t.Helper()
	m, err := hf.Open("../testdata/shrink/" + model)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	small, _, err := shrink.Quantize(m, typ, so)
	if err != nil {
		t.Fatal(err)
	}
	l, err := hf.Layout(small, hf.LayoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := transform.Write(t.Context(), l, dir, o); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		fmt.Fprintf(h, "%s %d\n", path, len(data))
		h.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
