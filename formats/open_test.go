package formats

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenRecognizesImpostors(t *testing.T) {
	for _, c := range []struct{ name, data, want, hint string }{
		{"empty", "", "the file is empty", "download it again"},
		{"zeros", strings.Repeat("\x00", 100), "begins with zeros", "download it again"},
		{"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git-lfs pointer", "git lfs pull"},
		{"html", "\n<!DOCTYPE html><html>", "an HTML page", "download it again"},
		{"gzip", "\x1f\x8b\x08\x00", "a gzip archive", "unpack"},
		{"other", "what is this", "not a model file: it begins with 77 68 61 74", ""},
	} {
		_, err := OpenReader(NewFile(strings.NewReader(c.data), int64(len(c.data)), c.name))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Path != c.name || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %v, want %q with a hint like %q", c.name, err, c.want, c.hint)
		}
	}
}

func TestOpenHalfDownload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	write(t, path, "")
	write(t, path+".incomplete", "x")
	_, err := Open(path)
	if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, ErrTruncated) || !strings.Contains(e.Hint, "still under way") {
		t.Errorf("Open = %v, want ErrTruncated with a hint about the download", err)
	}
}

func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFile(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "absent") != 1 {
		t.Errorf("OpenFile of nothing: %v, want fs.ErrNotExist that names the path once", err)
	}
	if _, err := OpenFile(dir); !errors.Is(err, ErrFormat) {
		t.Errorf("OpenFile of a folder: %v, want ErrFormat", err)
	}
	path := filepath.Join(dir, "f")
	write(t, path, "abc")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Unchanged(); err != nil {
		t.Error(err)
	}
	write(t, path, "abcd")
	if err := f.Unchanged(); err == nil {
		t.Error("Unchanged did not see that the file grew")
	}
}

func TestExtentTruncated(t *testing.T) {
	f := NewFile(bytes.NewReader(make([]byte, 10)), 20, "short")
	x := NewExtent(Info{Name: "x", DType: F32, Shape: []int{2, 2}}, f, 4)
	err := x.ReadRows(t.Context(), make([]byte, 16), 0, 2)
	if want := "short: at byte 10: the file ended while it was read; it was 20 bytes long when opened"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if !errors.Is(err, ErrTruncated) {
		t.Errorf("%v is not ErrTruncated", err)
	}
}

func TestErrorText(t *testing.T) {
	err := &Error{Path: "m.safetensors", Tensor: "lm_head.weight", Offset: 1, Err: Reasonf(ErrFormat, "bad")}
	if got, want := err.Error(), `m.safetensors: tensor "lm_head.weight": at byte 0: bad`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
}
