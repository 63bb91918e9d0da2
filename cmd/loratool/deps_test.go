package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/loratool/loratool"

type room struct {
	dir    string
	ours   []string
	others []string
}

// rooms says what the packages of each folder may import from this module, and
// from others: the arrows point one way, from the command down to the
// arithmetic. The first line that fits a package counts.
var rooms = []room{
	{"cmd/", []string{"transform", "formats", "kernels"}, // kernels for LORATOOL_CPU and the version
		[]string{"github.com/urfave/cli/v2", "github.com/vbauerster/mpb/v8", "golang.org/x/term"}},
	{"transform/lowrank", []string{"formats", "kernels", "transform/lowrank"}, []string{"gonum.org/v1/gonum", "golang.org/x/sync"}},
	{"transform/adapter", []string{"formats", "kernels", "transform/adapter", "transform/lowrank"}, []string{"gonum.org/v1/gonum"}},
	{"transform/arch", []string{"formats", "kernels", "transform/adapter", "transform/arch"},
		[]string{"go.yaml.in/yaml/v3", "google.golang.org/protobuf"}}, // the model card's front matter; SentencePiece
	{"transform/shrink", []string{"formats", "kernels"}, nil},
	{"transform/", []string{"formats", "kernels", "transform/adapter", "transform/arch", "transform/lowrank", "transform/recipe", "transform/report", "transform/shrink"},
		[]string{"golang.org/x/sync", "gonum.org/v1/plot", "google.golang.org/protobuf", "go.yaml.in/yaml/v3"}},
	{"formats/", []string{"formats", "kernels"},
		[]string{"golang.org/x/sys", "golang.org/x/sync", "github.com/nlpodyssey/safetensors", "github.com/nlpodyssey/gopickle",
			"github.com/google/renameio/v2", "google.golang.org/protobuf"}},
	{"kernels/", []string{"kernels"}, []string{"golang.org/x/sys", "github.com/x448/float16"}},
}

// TestImports keeps packages in their rooms, in files for every system.
func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() && path != root && (strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		checkImports(t, path, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("found %d files only", files)
	}
}

func checkImports(t *testing.T, path, rel string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	i := slices.IndexFunc(rooms, func(r room) bool { return strings.HasPrefix(rel, r.dir) })
	if i < 0 {
		t.Errorf("%s is in no room", rel)
		return
	}
	for _, spec := range f.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		if local, ok := strings.CutPrefix(imp, module+"/"); ok {
			if !within(local, rooms[i].ours) {
				t.Errorf("%s must not import %s", rel, local)
			}
		} else if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") && !within(imp, rooms[i].others) {
			t.Errorf("%s must not import %s", rel, imp)
		}
	}
}

// within reports whether path is one of the folders or below one.
func within(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
}
