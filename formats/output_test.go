package formats

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// single is the layout of a file with the given contents, folder of a folder
// that holds it as name.
func single(data string) *Layout {
	return &Layout{Files: []LayoutFile{{Name: "f", Size: int64(len(data)), Head: []byte(data)}}}
}

func folder(name, data string) *Layout {
	l := single(data)
	l.Folder, l.Files[0].Name = true, name
	return l
}

func commit(path string, l *Layout, force bool) error {
	out, err := Create(path, l, force)
	if err != nil {
		return err
	}
	defer out.Close()
	return out.Commit(context.Background())
}

func TestCommitFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := commit(path, single("one"), false); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, "one")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := commit(path, single("two"), false); !errors.Is(err, ErrOutput) {
		t.Errorf("without force: %v, want ErrOutput", err)
	}
	checkFile(t, path, "one")
	if err := commit(path, single("three"), true); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, "three")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the replaced file's mode was not kept: %v, %v", info.Mode(), err)
	}
	checkNames(t, filepath.Dir(path), "out")
}

func TestCommitFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	if err := os.Mkdir(path, 0o777); err != nil { // an empty folder is as good as none
		t.Fatal(err)
	}
	if err := commit(path, folder("sub/model.safetensors", "one"), false); err != nil {
		t.Fatal(err)
	}
	checkFile(t, filepath.Join(path, "sub", "model.safetensors"), "one")
	if err := commit(path, folder("model.safetensors", "two"), true); !errors.Is(err, ErrOutput) {
		t.Errorf("a folder without weights was replaced: %v", err)
	}
	path = filepath.Join(dir, "model")
	for _, data := range []string{"one", "two"} {
		if err := commit(path, folder("model.safetensors", data), true); err != nil {
			t.Fatal(err)
		}
		checkFile(t, filepath.Join(path, "model.safetensors"), data)
	}
	checkNames(t, dir, "model", "out")
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	if err := os.Mkdir(model, 0o777); err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(model, "in.safetensors")
	write(t, input, "data")
	for link, to := range map[string]string{"soft": "model/in.safetensors", "folderlink": "model", "dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(input, filepath.Join(dir, "hard")); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(input)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct {
		path string
		l    *Layout
		want string
	}{
		{"model/in.safetensors", single("x"), "the output is an input"},
		{"model/../model/./in.safetensors", single("x"), "the output is an input"},
		{"soft", single("x"), "the output is an input"},
		{"hard", single("x"), "the output is an input"},
		{"folderlink/in.safetensors", single("x"), "the output is an input"},
		{"model", folder("x", "x"), "the output is an input"},
		{"folderlink", folder("x", "x"), "the output is an input"},
		{".", folder("x", "x"), "the output is an input"},
		{"model", single("x"), "the output is an input"},
		{"hard", folder("x", "x"), "the output is a"},
		{"dangling", single("x"), "a link that leads nowhere"},
		{"absent/x", single("x"), "there is no such folder to write to"},
	} {
		c.l.Inputs = []*File{f}
		err := commit(filepath.Join(dir, filepath.FromSlash(c.path)), c.l, true)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.path, err, c.want)
		}
	}
	checkFile(t, input, "data")
	checkNames(t, dir, "dangling", "folderlink", "hard", "model", "soft")
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, l := range []*Layout{single("x"), folder("a/b", "x")} {
		out, err := Create(filepath.Join(dir, "out"), l, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		out.Close()
	}
	checkNames(t, dir)
}

func TestStaleTemporaries(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".out.loratool-1"), "left by a killed process")
	if err := os.MkdirAll(filepath.Join(dir, ".out.loratool-2", "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".other.loratool-1"), "another output's")
	running, err := Create(filepath.Join(dir, "out"), single("first"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	if err := commit(filepath.Join(dir, "out"), single("second"), false); err != nil {
		t.Fatal(err)
	}
	// The first run's temporary must have been left alone, so that it can finish.
	if err := running.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	checkFile(t, filepath.Join(dir, "out"), "first")
	checkNames(t, dir, ".other.loratool-1", "out")
}

func TestCommitCanceled(t *testing.T) {
	dir := t.TempDir()
	out, err := Create(filepath.Join(dir, "out"), single("x"), false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := out.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit = %v, want context.Canceled", err)
	}
	out.Close()
	checkNames(t, dir)
}

func TestCopyTo(t *testing.T) {
	dir := t.TempDir()
	data := strings.Repeat("0123456789", 300_000)
	src := filepath.Join(dir, "src")
	write(t, src, data)
	onDisk, err := OpenFile(src)
	if err != nil {
		t.Fatal(err)
	}
	defer onDisk.Close()
	for name, f := range map[string]*File{"file": onDisk, "reader": NewFile(strings.NewReader(data), int64(len(data)), "reader")} {
		dst, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		e := Extent{File: f, Offset: 5, Size: int64(len(data)) - 5}
		for lo := int64(0); lo < e.Size; lo += 1_000_003 {
			if err := e.CopyTo(&OutputFile{File: dst}, 7, lo, min(lo+1_000_003, e.Size)); err != nil {
				t.Fatal(err)
			}
		}
		dst.Close()
		checkFile(t, dst.Name(), strings.Repeat("\x00", 7)+data[5:])
	}
}

func checkFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %.40q (%v), want %.40q", path, got, err, want)
	}
}

func checkNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}
