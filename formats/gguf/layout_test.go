package gguf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
)

const toy = "../../testdata/gguf/split/toy-0000%d-of-00003.gguf"

func openToy(t *testing.T, shard int) *formats.Model {
	t.Helper()
	m, err := formats.Open(fmt.Sprintf(toy, shard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// A file that llama.cpp wrote is written again byte by byte.
func TestRewrite(t *testing.T) {
	files, err := filepath.Glob("../../testdata/gguf/*/*.gguf")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		f, err := formats.OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := OpenShard(f)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Layout(m, LayoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(build(t, &l.Files[0]), want) {
			t.Errorf("%s is written otherwise", name)
		}
		m.Close()
	}
}

// Any shard opens the whole model, and written as one file it is the file that
// the shards were made of.
func TestJoin(t *testing.T) {
	const whole = "19ad63dba0ae6ce701ec78a23abbb4dbc456d0c14aaab73bcf79e46ff78b3ee2"
	for shard := 1; shard <= 3; shard++ {
		m := openToy(t, shard)
		formatstest.Check(t, m)
		l, err := Layout(m, LayoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(build(t, &l.Files[0]))); got != whole {
			t.Errorf("joined from shard %d: sha256 %s, want %s", shard, got, whole)
		}
	}
}

// Split in the same places, the shards differ from llama-gguf-split's in nothing
// but the order of the three keys.
func TestSplitAsThere(t *testing.T) {
	l, err := Layout(openToy(t, 1), LayoutOptions{MaxShardTensors: 7})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Files) != 3 || !l.Folder {
		t.Fatalf("%d files, folder %v", len(l.Files), l.Folder)
	}
	for i := range l.Files {
		data := build(t, &l.Files[i])
		got, err := OpenShard(formats.NewFile(bytes.NewReader(data), int64(len(data)), "got"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := formats.OpenFile(fmt.Sprintf(toy, i+1))
		if err != nil {
			t.Fatal(err)
		}
		want, err := OpenShard(f)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(data)) != f.Size {
			t.Errorf("shard %d has %d bytes, want %d", i, len(data), f.Size)
		}
		for _, kv := range want.Metadata {
			if d := cmp.Diff(kv.Value, got.Metadata.Get(kv.Key)); d != "" {
				t.Errorf("shard %d: %s: %s", i, kv.Key, d)
			}
		}
		if d := cmp.Diff(contents(t, want), contents(t, got)); d != "" {
			t.Errorf("shard %d: tensors differ", i)
		}
		if l.Files[i].Name != filepath.Base(f.Path) {
			t.Errorf("shard %d is called %s", i, l.Files[i].Name)
		}
		want.Close()
	}
}

// Files keep to the limit wherever a tensor fits, and no two neighbours could be one.
func TestMaxShardSize(t *testing.T) {
	m := openToy(t, 1)
	for _, limit := range []int64{1, 20_000, 50_000, 100_000, 250_000, 300_000} {
		l, err := Layout(m, LayoutOptions{MaxShardSize: limit})
		if err != nil {
			t.Fatal(err)
		}
		tensors := 0
		for i := range l.Files {
			f := &l.Files[i]
			tensors += len(f.Tensors)
			if f.Size > limit && len(f.Tensors) > 1 {
				t.Errorf("limit %d: %s has %d bytes and %d tensors", limit, f.Name, f.Size, len(f.Tensors))
			}
			if i > 0 {
				next := f.Tensors[0].Tensor
				if grown := l.Files[i-1].Size + align(next.NumBytes(), 32) + tensorBytes(&next.Info); len(l.Files[i-1].Tensors) > 0 && grown+32 <= limit {
					t.Errorf("limit %d: %s would have fitted into the shard before", limit, next.Name)
				}
			}
		}
		if tensors != len(m.Tensors) {
			t.Errorf("limit %d: %d tensors of %d", limit, tensors, len(m.Tensors))
		}
	}
}

func TestSplitErrors(t *testing.T) {
	copyShards := func(t *testing.T, edit func(i int, data []byte) (name string, out []byte)) string {
		dir := t.TempDir()
		for i := 1; i <= 3; i++ {
			data, err := os.ReadFile(fmt.Sprintf(toy, i))
			if err != nil {
				t.Fatal(err)
			}
			name, data := edit(i, data)
			if name == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	name := func(i int) string { return ShardName("m", i-1, 3) }

	dir := copyShards(t, func(i int, data []byte) (string, []byte) {
		if i == 2 {
			return "", nil
		}
		return name(i), data
	})
	_, err := formats.Open(filepath.Join(dir, name(3)))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name(2)) {
		t.Errorf("missing shard: %v", err)
	}

	dir = copyShards(t, func(i int, data []byte) (string, []byte) { return name(4 - i), data })
	if _, err = formats.Open(filepath.Join(dir, name(1))); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("shards with exchanged names: %v", err)
	}

	dir = copyShards(t, func(i int, data []byte) (string, []byte) { return fmt.Sprintf("%d.gguf", i), data })
	if _, err = formats.Open(filepath.Join(dir, "1.gguf")); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("shards with other names: %v", err)
	}

	dir = copyShards(t, func(i int, data []byte) (string, []byte) {
		if i == 2 {
			key := append(binary.LittleEndian.AppendUint64(nil, uint64(len(splitTensors))), splitTensors...)
			at := bytes.Index(data, key) + len(key) + 4
			data[at]++
		}
		return name(i), data
	})
	if _, err = formats.Open(filepath.Join(dir, name(1))); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("shards that disagree on the number of tensors: %v", err)
	}
}

func TestShardNames(t *testing.T) {
	for name, want := range map[string]string{
		"a-00001-of-00003.gguf":   "a 0 3",
		"-00010-of-00010.gguf":    " 9 10",
		"a-0001-of-00003.gguf":    "",
		"a-00001-of-00003.bin":    "",
		"a-+0001-of-00003.gguf":   "",
		"a-00001_of-00003.gguf":   "",
		"x-y-00002-of-99999.gguf": "x-y 1 99999",
	} {
		got := ""
		if stem, i, count, ok := parseShardName(name); ok {
			got = fmt.Sprint(stem, " ", i, " ", count)
		}
		if got != want {
			t.Errorf("parseShardName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestUnwritable(t *testing.T) {
	tensor := func(name string, d formats.DType, shape ...int) *formats.Model {
		return &formats.Model{Tensors: []*formats.Tensor{{Info: formats.Info{Name: name, DType: d, Shape: shape}}}}
	}
	metadata := func(kvs ...formats.KeyValue) *formats.Model { return &formats.Model{Metadata: kvs} }
	for what, m := range map[string]*formats.Model{
		"name of 64 bytes":     tensor(strings.Repeat("n", 64), formats.F32, 1),
		"a format of our own":  tensor("a", formats.F8_E4M3, 1),
		"five dimensions":      tensor("a", formats.F32, 1, 1, 1, 1, 1),
		"half a block":         tensor("a", formats.Q4_0, 2, 16),
		"an int":               metadata(formats.KeyValue{Key: "a", Value: 1}),
		"no key":               metadata(formats.KeyValue{Value: uint8(1)}),
		"a key twice":          metadata(formats.KeyValue{Key: "a", Value: uint8(1)}, formats.KeyValue{Key: "a", Value: uint8(1)}),
		"an alignment of 3":    metadata(formats.KeyValue{Key: alignmentKey, Value: uint32(3)}),
		"an array of anything": metadata(formats.KeyValue{Key: "a", Value: []any{"x"}}),
		"a structure":          metadata(formats.KeyValue{Key: "a", Value: struct{}{}}),
	} {
		if _, err := Layout(m, LayoutOptions{}); err == nil {
			t.Errorf("%s is written", what)
		}
	}
	two := tensor("a", formats.F32, 1)
	two.Tensors = append(two.Tensors, two.Tensors[0])
	if _, err := Layout(two, LayoutOptions{}); !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("a name twice: %v", err)
	}
}
