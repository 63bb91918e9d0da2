package arch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
)

type goldenKV struct {
	Key    string
	Type   string
	Value  any
	Len    int
	SHA256 string `json:"sha256_json"`
}

type goldenTensor struct {
	Name   string
	Type   string
	Shape  []int
	SHA256 string
}

type golden struct {
	Dir     string `json:"source_dir"`
	Pre     string `json:"pre_forced"`
	Outputs map[string]struct {
		KV      []goldenKV
		Tensors []goldenTensor
	}
}

func TestGoldens(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", "..", "testdata", "convert"))
	if err != nil {
		t.Fatal(err)
	}
	dirs, _ := filepath.Glob(filepath.Join(root, "*"))
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			var g golden
			if err := json.Unmarshal(data, &g); err != nil {
				t.Fatal(err)
			}
			for name, typ := range map[string]Type{"f32": F32, "f16": F16, "bf16": BF16, "q8_0": Q8_0} {
				want, ok := g.Outputs[name]
				if !ok {
					continue
				}
				link := filepath.Join(t.TempDir(), g.Dir)
				if err := os.Symlink(filepath.Join(dir, "hf"), link); err != nil {
					t.Fatal(err)
				}
				m, err := hf.Open(link)
				if err != nil {
					t.Fatal(err)
				}
				out, err := ToGGUF(m, Options{Type: typ, Pre: g.Pre})
				if err != nil {
					t.Fatal(err)
				}
				checkKV(t, name, out.Metadata, want.KV)
				checkTensors(t, name, out, want.Tensors)
				m.Close()
			}
		})
	}
}

var notYet = regexp.MustCompile(`^$`)

func checkKV(t *testing.T, what string, got formats.Metadata, want []goldenKV) {
	var order []string
	for _, w := range want {
		if notYet.MatchString(w.Key) {
			continue
		}
		order = append(order, w.Key)
		v := got.Get(w.Key)
		if v == nil {
			t.Errorf("%s: %s is missing, want %v", what, w.Key, w.Value)
			continue
		}
		if w.SHA256 != "" {
			if got := digest(v); got != w.SHA256 {
				t.Errorf("%s: %s differs", what, w.Key)
			}
			continue
		}
		typ := fmt.Sprintf("%T", v)
		if e, ok := strings.CutPrefix(typ, "[]"); ok {
			typ = "array<" + e + ">"
		}
		if typ != w.Type || w.Value != nil && fmt.Sprint(norm(v)) != fmt.Sprint(norm(w.Value)) {
			t.Errorf("%s: %s = %s %v, want %s %v", what, w.Key, typ, v, w.Type, w.Value)
		}
	}
	var have []string
	for _, kv := range got {
		if !notYet.MatchString(kv.Key) {
			have = append(have, kv.Key)
		}
	}
	if !slices.Equal(have, order) {
		t.Errorf("%s: order\n got %v\nwant %v", what, have, order)
	}
}

func digest(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if f, ok := v.([]float32); ok {
		d := make([]float64, len(f))
		for i := range f {
			d[i] = float64(f[i])
		}
		var parts []string
		for _, x := range d {
			parts = append(parts, string(strictjson.Float(x)))
		}
		sum := sha256.Sum256([]byte("[" + strings.Join(parts, ",") + "]"))
		return hex.EncodeToString(sum[:])
	}
	e.Encode(v)
	sum := sha256.Sum256(bytes.TrimSpace(b.Bytes()))
	return hex.EncodeToString(sum[:])
}

func norm(v any) any {
	switch v := v.(type) {
	case float32:
		return float64(v)
	case uint32:
		return float64(v)
	}
	return v
}

func checkTensors(t *testing.T, what string, m *formats.Model, want []goldenTensor) {
	if len(m.Tensors) != len(want) {
		t.Errorf("%s: %d tensors, want %d", what, len(m.Tensors), len(want))
	}
	for _, w := range want {
		x := m.Tensor(w.Name)
		if x == nil {
			t.Errorf("%s: %s is missing", what, w.Name)
			continue
		}
		data := make([]byte, x.NumBytes())
		if err := x.ReadRows(context.Background(), data, 0, x.NumRows()); err != nil {
			t.Error(err)
			continue
		}
		sum := sha256.Sum256(data)
		if hex.EncodeToString(sum[:]) != w.SHA256 {
			t.Errorf("%s: %s (%v, want %s %v) differs", what, w.Name, &x.Info, w.Type, w.Shape)
		}
	}
}
