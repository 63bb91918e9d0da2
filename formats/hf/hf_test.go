package hf_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/safetensors"
)

// tensor returns a U8 tensor with the given contents.
func tensor(name, data string) *formats.Tensor {
	f := formats.NewFile(strings.NewReader(data), int64(len(data)), "memory")
	return formats.NewExtent(formats.Info{Name: name, DType: formats.U8, Shape: []int{len(data)}}, f, 0)
}

// writeModel writes a safetensors file.
func writeModel(t *testing.T, path string, tensors ...*formats.Tensor) {
	t.Helper()
	l, err := safetensors.Layout(&formats.Model{Tensors: tensors})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, l, path)
}

// commit writes a layout of extents only.
func commit(t *testing.T, l *formats.Layout, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	out, err := formats.Create(path, l, true)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for i, lf := range l.Files {
		for _, p := range lf.Tensors {
			if err := p.Tensor.Extent().CopyTo(out.File(i), p.Offset, 0, p.Tensor.NumBytes()); err != nil {
				t.Fatal(err)
			}
		}
		if lf.Copy != "" {
			data, err := os.ReadFile(lf.Copy)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := out.File(i).WriteAt(data, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
}

// names opens a model and returns the names of its tensors, sorted.
func names(t *testing.T, ref string) []string {
	t.Helper()
	m, err := hf.Open(ref)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var out []string
	for _, t := range m.Tensors {
		out = append(out, t.Name)
	}
	slices.Sort(out)
	return out
}

func TestResolveInCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HF_HUB_CACHE", "")
	t.Setenv("HUGGINGFACE_HUB_CACHE", "")
	t.Setenv("PLACE", dir)
	t.Setenv("HF_HOME", "$PLACE/home")
	repo := filepath.Join(dir, "home", "hub", "models--org--name")
	writeFile(t, filepath.Join(repo, "refs", "main"), "c1\n")
	writeFile(t, filepath.Join(repo, "refs", "refs", "pr", "1"), "c2")
	writeFile(t, filepath.Join(repo, "refs", "gone"), "c3")
	writeFile(t, filepath.Join(repo, "refs", "evil"), "../../../outside")
	writeModel(t, filepath.Join(repo, "blobs", "b1"), tensor("x", "1"))
	writeModel(t, filepath.Join(repo, "blobs", "b2"), tensor("y", "2"))
	for commit, blob := range map[string]string{"c1": "b1", "c2": "b2"} {
		snapshot := filepath.Join(repo, "snapshots", commit)
		if err := os.MkdirAll(snapshot, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../blobs/"+blob, filepath.Join(snapshot, "model.safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	for ref, want := range map[string]string{
		"org/name": "x", "org/name@main": "x", "org/name@c2": "y", "hf://org/name@refs/pr/1": "y",
	} {
		if got := names(t, ref); !slices.Equal(got, []string{want}) {
			t.Errorf("%s has the tensors %q, want %q", ref, got, want)
		}
	}
	for _, ref := range []string{"org/name@gone", "org/name@none", "org/name@evil", "org/name@../..", "org/other", "nothing", "a/b/c"} {
		_, err := hf.Open(ref)
		if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), ref+": ") {
			t.Errorf("%s: %v, want fs.ErrNotExist that names it", ref, err)
		}
	}
	_, err := hf.Open("org/other@v2")
	if e, ok := errors.AsType[*formats.Error](err); !ok || !strings.Contains(e.Hint, "hf download org/other --revision v2") {
		t.Errorf("%v: the hint does not say how to get it", err)
	}
}

func TestLayoutRoundTrip(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	writeModel(t, filepath.Join(in, "model.safetensors"), tensor("a", "aaaa"), tensor("b", "bb"), tensor("c", "cccccc"))
	writeFile(t, filepath.Join(in, "config.json"), "{}")
	writeFile(t, filepath.Join(in, "1_Pooling", "config.json"), "{}")
	writeFile(t, filepath.Join(in, "modules.json"), `[{"path": ""}, {"path": "2_Dense"}]`)
	writeFile(t, filepath.Join(in, "2_Dense", "model.safetensors"), "of the dense layer")
	writeFile(t, filepath.Join(in, "checkpoint-1", "model.safetensors"), "old")
	writeFile(t, filepath.Join(in, "checkpoint-1", "config.json"), "{}")
	writeFile(t, filepath.Join(in, "pytorch_model.bin"), "other weights")
	writeFile(t, filepath.Join(in, "flax_model.msgpack"), "other weights")
	writeFile(t, filepath.Join(in, ".cache", "x"), "")
	link := filepath.Join(dir, "link")
	if err := os.Symlink("in", link); err != nil {
		t.Fatal(err)
	}
	m, err := hf.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for size, want := range map[int64][]string{
		0: {"1_Pooling/config.json", "2_Dense/model.safetensors", "config.json", "model.safetensors", "modules.json"},
		6: {"1_Pooling/config.json", "2_Dense/model.safetensors", "config.json", "model-00001-of-00002.safetensors",
			"model-00002-of-00002.safetensors", "model.safetensors.index.json", "modules.json"},
		1: {"1_Pooling/config.json", "2_Dense/model.safetensors", "config.json", "model-00001-of-00003.safetensors",
			"model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json", "modules.json"},
	} {
		l, err := hf.Layout(m, hf.LayoutOptions{MaxShardSize: size})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "out")
		commit(t, l, out)
		var got []string
		filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(out, path)
				got = append(got, filepath.ToSlash(rel))
			}
			return err
		})
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("shards of %d bytes: the folder holds %q, want %q", size, got, want)
		}
		if got := names(t, out); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("shards of %d bytes: read back the tensors %q", size, got)
		}
	}
}

func TestOpenIndexRefuses(t *testing.T) {
	for _, c := range []struct{ name, index, want string }{
		{"outside", `{"weight_map":{"x":"../x.safetensors"}}`, "outside the checkpoint's folder"},
		{"absolute", `{"weight_map":{"x":"/etc/x.safetensors"}}`, "outside the checkpoint's folder"},
		{"backslash", `{"weight_map":{"x":"..\\x.safetensors"}}`, "outside the checkpoint's folder"},
		{"subfolder", `{"weight_map":{"x":"sub/x.safetensors"}}`, "outside the checkpoint's folder"},
		{"dot", `{"weight_map":{"x":"."}}`, "regular file"},
		{"missing", `{"weight_map":{"x":"x.safetensors","y":"y.safetensors"}}`, "y.safetensors: the checkpoint consists of this file too"},
		{"wrong file", `{"weight_map":{"x":"x.safetensors","z":"x.safetensors"}}`, `tensor "z": the index says it is in x.safetensors, but it is not`},
		{"unknown", `{"weight_map":{"z":"x.safetensors"}}`, `tensor "x": it is in x.safetensors, but the index does not know it`},
		{"empty", `{"weight_map":{}}`, "its weight_map is empty"},
		{"none", `{}`, "it has no weight_map"},
		{"number", `{"weight_map":{"x":1}}`, "its file in weight_map is not a name"},
		{"twice", `{"weight_map":{"x":"x.safetensors","x":"x.safetensors"}}`, `at byte 35: JSON: key "x" appears twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			writeModel(t, filepath.Join(dir, "x.safetensors"), tensor("x", "1"))
			writeFile(t, filepath.Join(dir, "model.safetensors.index.json"), c.index)
			_, err := hf.Open(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q", err, c.want)
			}
		})
	}
}

func TestOpenFolderWithoutUsualNames(t *testing.T) {
	dir := t.TempDir()
	_, err := hf.Open(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v, want fs.ErrNotExist", err)
	}
	writeModel(t, filepath.Join(dir, "sub", "x.safetensors"), tensor("x", "1"))
	_, err = hf.Open(dir)
	if e, ok := errors.AsType[*formats.Error](err); !ok || !strings.Contains(e.Hint, "sub") {
		t.Errorf("weights in a subfolder: %v, want a hint at it", err)
	}
	writeModel(t, filepath.Join(dir, "weights-00001-of-00002.safetensors"), tensor("a", "1"))
	writeModel(t, filepath.Join(dir, "weights-00002-of-00002.safetensors"), tensor("b", "1"))
	if got := names(t, dir); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("shards without an index have the tensors %q", got)
	}
	writeModel(t, filepath.Join(dir, "other.safetensors"), tensor("c", "1"))
	_, err = hf.Open(dir)
	if !errors.Is(err, formats.ErrMismatch) || !strings.Contains(err.Error(), "other.safetensors") {
		t.Errorf("several models: %v, want ErrMismatch that names them", err)
	}
	writeModel(t, filepath.Join(dir, "model.safetensors"), tensor("d", "1"))
	if got := names(t, dir); !slices.Equal(got, []string{"d"}) {
		t.Errorf("model.safetensors should win, got the tensors %q", got)
	}
}

func TestSetDType(t *testing.T) {
	m := &formats.Model{Files: []formats.Asset{{Name: "config.json",
		Data: []byte(`{"torch_dtype": "float32", "text_config": {"dtype": "float32", "n": 1}, "quantization_config": {"dtype": "float32"}}`)}}}
	config, err := hf.Config(m)
	if err != nil {
		t.Fatal(err)
	}
	hf.SetDType(config, formats.BF16)
	files := hf.WithConfig(m.Files, config)
	want := `{
  "torch_dtype": "bfloat16",
  "text_config": {
    "dtype": "bfloat16",
    "n": 1
  },
  "quantization_config": {
    "dtype": "float32"
  }
}
`
	if got := string(files[0].Data); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
