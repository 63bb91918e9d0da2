package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loratool/loratool/formats"
)

// write puts a file into a fresh folder.
func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.gguf")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func setting(assignments ...string) func(formats.Metadata) (formats.Metadata, error) {
	return func(m formats.Metadata) (formats.Metadata, error) {
		for _, a := range assignments {
			var err error
			if m, err = Set(m, a); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
}

// Whatever the length of a value, editing in place changes it and nothing else,
// or changes nothing at all.
func TestEditInPlace(t *testing.T) {
	// 100 bytes of text leave room for every shorter one.
	original := func() []byte {
		b := newBuilder(binary.LittleEndian, 3).begin(1, 3)
		b.key("general.name", typeString).text(strings.Repeat("x", 100))
		b.key("n", typeUint32).u32(7)
		b.key("last", typeBool).bytes("\x01")
		return b.tensor("a", 24, 0, 5).pad(32).bytes("data!").pad(32).b
	}
	for n := 0; n < 160; n += 3 {
		path := write(t, original())
		ok, err := EditInPlace(path, setting("general.name="+strings.Repeat("y", n), "n=8"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if n <= 100 || !bytes.Equal(data, original()) {
				t.Fatalf("%d bytes: not in place, file changed: %v", n, !bytes.Equal(data, original()))
			}
			continue
		}
		m, err := formats.Open(path)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		want := formats.Metadata{{Key: "general.name", Value: strings.Repeat("y", n)}, {Key: "n", Value: uint32(8)}, {Key: "last", Value: true}}
		if d := cmp.Diff(want, m.Metadata.Without(padKey)); d != "" {
			t.Fatalf("%d bytes: %s", n, d)
		}
		if got := contents(t, m)["a"]; string(got) != "data!" || len(data) != len(original()) {
			t.Fatalf("%d bytes: the data is %q, the file has %d bytes", n, got, len(data))
		}
		m.Close()
		// What became shorter can become longer again.
		if ok, err := EditInPlace(path, setting("general.name="+strings.Repeat("z", 100))); !ok || err != nil {
			t.Fatalf("%d bytes and back: %v, %v", n, ok, err)
		}
		if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
			t.Fatalf("%d files are left", len(entries))
		}
	}
}

func TestEditNeedsRewrite(t *testing.T) {
	for name, data := range map[string][]byte{
		"version 1":  sample(binary.LittleEndian, 1).b,
		"big-endian": sample(binary.BigEndian, 3).b,
	} {
		path := write(t, data)
		if ok, err := EditInPlace(path, setting("u8=1")); ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	path := write(t, sample(binary.LittleEndian, 3).b)
	if ok, err := EditInPlace(path, setting("general.alignment=uint32:64")); ok || err != nil {
		t.Errorf("another alignment: %v, %v", ok, err)
	}
	if _, err := EditInPlace(path, setting("u8=256")); err == nil {
		t.Error("256 is taken for a uint8")
	}
}

// After a crash at any moment the next edit brings the old header back first.
func TestEditAfterCrash(t *testing.T) {
	data := sample(binary.LittleEndian, 3).b
	path := write(t, data)
	if ok, err := EditInPlace(path, setting("u8=1")); !ok || err != nil {
		t.Fatal(ok, err)
	}
	edited, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(filepath.Dir(path), ".m.gguf.head.loratool")

	// Half of the new header is written, and the process dies: what a crash in
	// the middle leaves is what EditHead leaves if it is stopped there.
	torn := append(bytes.Clone(edited[:100]), data[100:]...)
	torn[4]++ // the version, in a way that no edit makes
	if err := os.WriteFile(path, torn, 0o666); err != nil {
		t.Fatal(err)
	}
	half := len(edited) / 2
	head := formats.SavedHead(data[:half], torn[:half])
	for _, n := range []int{0, 10, len(head) - 1, len(head)} {
		if err := os.WriteFile(saved, head[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := EditInPlace(path, setting("u8=2"))
		if whole := n == len(head); whole != (err == nil) {
			t.Fatalf("%d of %d saved bytes: %v", n, len(head), err)
		}
		if _, err := os.Stat(saved); err == nil {
			t.Fatalf("%d of %d saved bytes: they are still there", n, len(head))
		}
	}
	m, err := formats.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Metadata.Get("u8"); got != uint8(2) {
		t.Errorf("u8 is %v", got)
	}
}

func TestSet(t *testing.T) {
	m := sampleMetadata
	for _, test := range []struct {
		assignment string
		key        string
		want       any
	}{
		{"u8=7", "u8", uint8(7)},
		{"i64=-7", "i64", int64(-7)},
		{"f32=0.1", "f32", float32(0.1)},
		{"yes=false", "yes", false},
		{"empty=a=b:c", "empty", "a=b:c"},
		{"new=text", "new", "text"},
		{"new=uint32:5", "new", uint32(5)},
		{"u8=string:x", "u8", "x"},
		{"ids=3,4", "ids", []int32{3, 4}},
		{"ids=", "ids", []int32{}},
		{"new=[]string:a,b", "new", []string{"a", "b"}},
		{"new=string:uint8:1", "new", "uint8:1"},
	} {
		got, err := Set(m, test.assignment)
		if err != nil {
			t.Errorf("%s: %v", test.assignment, err)
			continue
		}
		if d := cmp.Diff(test.want, got.Get(test.key)); d != "" {
			t.Errorf("%s: %s", test.assignment, d)
		}
	}
	for _, bad := range []string{"u8", "=1", "u8=-1", "u8=x", "yes=maybe", "f32=", "nested=1", "ids=1,,2"} {
		if _, err := Set(m, bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// What a crash left is of no use for a file that took the place of the damaged one.
func TestEditAfterReplacement(t *testing.T) {
	path := write(t, sample(binary.LittleEndian, 3).b)
	old := bytes.Repeat([]byte{1}, 400)
	saved := filepath.Join(filepath.Dir(path), ".m.gguf.head.loratool")
	if err := os.WriteFile(saved, formats.SavedHead(old, bytes.Repeat([]byte{2}, 400)), 0o600); err != nil {
		t.Fatal(err)
	}
	if ok, err := EditInPlace(path, setting("u8=9")); !ok || err != nil {
		t.Fatal(ok, err)
	}
	m, err := formats.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Metadata.Get("u8"); got != uint8(9) {
		t.Errorf("u8 is %v", got)
	}
}

// A link may lead to a file that others use, as in the Hugging Face cache.
func TestEditRefusesLinks(t *testing.T) {
	path := write(t, sample(binary.LittleEndian, 3).b)
	link := filepath.Join(filepath.Dir(path), "link.gguf")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if _, err := EditInPlace(link, setting("u8=9")); !errors.Is(err, formats.ErrOutput) {
		t.Errorf("a link: %v", err)
	}
}
