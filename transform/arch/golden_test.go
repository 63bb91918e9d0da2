package arch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

// The goldens are what llama.cpp's converter made of tiny checkpoints, one folder a
// case under testdata/convert; testdata/README.md says how.

// A golden is one case.
type golden struct {
	dir       string
	SourceDir string `json:"source_dir"` // what the checkpoint's folder was called, which names the model
	Pre       string `json:"pre_forced"`
	Outputs   map[string]description
}

// A description is what is compared of a GGUF file, in file order.
type description struct {
	KV      []describedKey
	Tensors []describedTensor
}

// A describedKey has a value, or for long arrays the SHA-256 of its compact JSON.
type describedKey struct {
	Key, Type string
	Value     any
	SHA256    string `json:"sha256_json"`
}

// A describedTensor has its shape in GGUF's order.
type describedTensor struct {
	Name, Type string
	Shape      []int
	SHA256     string
}

// TestToGGUF compares tensors, key-values and the order of both.
func TestToGGUF(t *testing.T) {
	eachGolden(t, func(t *testing.T, g *golden) {
		m := g.open(t)
		for name, want := range g.Outputs {
			typ, err := ParseType(name)
			if err != nil {
				t.Fatal(err)
			}
			out, err := ToGGUF(m, Options{Type: typ, Pre: g.Pre})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, describe(t, out)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// eachGolden runs f for every case.
func eachGolden(t *testing.T, f func(t *testing.T, g *golden)) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/convert/*/expected.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := &golden{dir: dir}
			if err := json.Unmarshal(data, g); err != nil {
				t.Fatal(err)
			}
			for name, d := range g.Outputs {
				d.normalize()
				g.Outputs[name] = d
			}
			f(t, g)
		})
	}
}

// open opens the checkpoint under the name that it had.
func (g *golden) open(t *testing.T) *formats.Model {
	t.Helper()
	dir := filepath.Join(t.TempDir(), g.SourceDir)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(g.dir, "hf"))); err != nil {
		t.Fatal(err)
	}
	m, err := hf.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// normalize drops what says the same in two ways: the head of long arrays, outer
// dimensions of 1.
func (d *description) normalize() {
	for i := range d.KV {
		if d.KV[i].SHA256 != "" {
			d.KV[i].Value = nil
		}
	}
	for i := range d.Tensors {
		s := &d.Tensors[i].Shape
		for len(*s) > 1 && (*s)[len(*s)-1] == 1 {
			*s = (*s)[:len(*s)-1]
		}
	}
}

// describe describes a model.
func describe(t *testing.T, m *formats.Model) description {
	t.Helper()
	var d description
	for _, kv := range m.Metadata {
		d.KV = append(d.KV, describeKey(t, kv))
	}
	for _, x := range m.Tensors {
		shape := slices.Clone(x.Shape)
		slices.Reverse(shape)
		d.Tensors = append(d.Tensors, describedTensor{x.Name, strings.ToLower(x.DType.String()), shape, sum(readAll(t, x))})
	}
	d.normalize()
	return d
}

// describeKey takes the value through JSON, so that all numbers are float64.
func describeKey(t *testing.T, kv formats.KeyValue) describedKey {
	t.Helper()
	const long = 64
	k := describedKey{Key: kv.Key, Type: fmt.Sprintf("%T", kv.Value)}
	v := toJSON(kv.Value)
	list, isList := v.(strictjson.Array)
	if isList {
		k.Type = "array<" + strings.TrimPrefix(k.Type, "[]") + ">"
	}
	text := strictjson.Append(nil, v)
	if isList && len(list) > long {
		k.SHA256 = sum(text)
		return k
	}
	if err := json.Unmarshal(text, &k.Value); err != nil {
		t.Fatal(err)
	}
	return k
}

// toJSON returns a value of GGUF as one of JSON, written as Python writes it.
func toJSON(v any) strictjson.Value {
	switch v := v.(type) {
	case float32:
		return strictjson.Float(float64(v))
	case uint32:
		return strictjson.Int(int(v))
	case int32:
		return strictjson.Int(int(v))
	case uint8:
		return strictjson.Int(int(v))
	case []string:
		return array(v)
	case []float32:
		return array(v)
	case []int32:
		return array(v)
	case []uint32:
		return array(v)
	case []uint8:
		return array(v)
	}
	return v
}

func array[T any](list []T) strictjson.Array {
	out := make(strictjson.Array, len(list))
	for i, v := range list {
		out[i] = toJSON(v)
	}
	return out
}

// readAll returns a tensor's data.
func readAll(t *testing.T, x *formats.Tensor) []byte {
	t.Helper()
	data := make([]byte, x.NumBytes())
	if err := x.ReadRows(context.Background(), data, 0, x.NumRows()); err != nil {
		t.Fatal(err)
	}
	return data
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
