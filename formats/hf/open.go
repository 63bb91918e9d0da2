package hf

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	_ "github.com/loratool/loratool/formats/safetensors" // what checkpoints consist of
	_ "github.com/loratool/loratool/formats/torch"
)

// stems are the names that weights have in a folder, the usual ones first, each
// with the name that its safetensors form has in an output.
var stems = []struct{ name, extension, stem string }{
	{"model", ".safetensors", "model"},
	{"pytorch_model", ".bin", "model"},
	{"adapter_model", ".safetensors", "adapter_model"},
	{"adapter_model", ".bin", "adapter_model"},
	{"diffusion_pytorch_model", ".safetensors", "diffusion_pytorch_model"},
	{"diffusion_pytorch_model", ".bin", "diffusion_pytorch_model"},
}

// Open opens what a reference means, see [Resolve]: a checkpoint folder, a model
// file of any format, or the index of shards. Of a folder the model has the other
// files as assets; of a single file it has none.
func Open(ref string) (*formats.Model, error) {
	path, err := Resolve(ref)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, &formats.Error{Path: path, Err: pathCause(err)}
	}
	if info.IsDir() {
		return openFolder(path)
	}
	m, err := openFile(path)
	if err != nil {
		return nil, err
	}
	m.Stem = stemOf(filepath.Base(path))
	return m, nil
}

// openFile opens a model file, or the index of one in shards.
func openFile(path string) (*formats.Model, error) {
	if strings.HasSuffix(path, ".index.json") {
		return openIndex(path)
	}
	return formats.Open(path)
}

// stemOf returns what the weights of an output are called, given a weights file
// of the input.
func stemOf(file string) string {
	for _, s := range stems {
		if file == s.name+s.extension || file == s.name+s.extension+".index.json" {
			return s.stem
		}
	}
	return "model"
}

func openFolder(dir string) (*formats.Model, error) {
	weights, err := findWeights(dir)
	if err != nil {
		return nil, err
	}
	var m *formats.Model
	if len(weights) > 1 {
		m, err = openShards(dir, dir, weights)
	} else {
		m, err = openFile(filepath.Join(dir, weights[0]))
	}
	if err != nil {
		return nil, err
	}
	m.Path = dir
	m.Stem = stemOf(weights[0])
	if m.Files, err = assets(dir); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// findWeights returns the name of the file to open in a folder, or the names of
// shards that have no index.
func findWeights(dir string) ([]string, error) {
	for _, s := range stems {
		for _, name := range []string{s.name + s.extension, s.name + s.extension + ".index.json"} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				return []string{name}, nil
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &formats.Error{Path: dir, Err: pathCause(err)}
	}
	for _, extension := range []string{".safetensors", ".gguf", ".bin", ".pt", ".pth"} {
		var names []string
		for _, e := range entries {
			if filepath.Ext(e.Name()) == extension && !e.IsDir() && !auxiliary(e.Name()) {
				names = append(names, e.Name())
			}
		}
		switch {
		case len(names) == 0:
			continue
		case len(names) == 1 || areShards(names):
			return names, nil
		case isSplitGGUF(names):
			return names[:1], nil
		}
		return nil, &formats.Error{Path: dir, Hint: "name one of the files instead of the folder",
			Err: formats.Reasonf(formats.ErrMismatch, "the folder holds several models: %s", strings.Join(names, ", "))}
	}
	return nil, &formats.Error{Path: dir, Err: notExist("the folder holds no model weights"), Hint: subfolderHint(dir, entries)}
}

// subfolderHint names folders below dir that hold weights.
func subfolderHint(dir string, entries []fs.DirEntry) string {
	var found []string
	for _, e := range entries {
		if e.IsDir() {
			if names, err := filepath.Glob(filepath.Join(dir, e.Name(), "*.safetensors")); err == nil && len(names) > 0 {
				found = append(found, filepath.Join(dir, e.Name()))
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "there are weights in " + strings.Join(found, ", ")
}

var shardName = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.(safetensors|bin)$`)

// areShards reports whether sorted names are a whole set of shards.
func areShards(names []string) bool {
	first := shardName.FindStringSubmatch(names[0])
	for i, name := range names {
		m := shardName.FindStringSubmatch(name)
		if m == nil || m[1] != first[1] || m[2] != shardNumber(i+1) || m[3] != shardNumber(len(names)) {
			return false
		}
	}
	return true
}

var splitName = regexp.MustCompile(`^(.*)-\d{5}-of-(\d{5})\.gguf$`)

// isSplitGGUF reports whether names are parts of one GGUF model, whose reader
// finds the others from any of them.
func isSplitGGUF(names []string) bool {
	first := splitName.FindStringSubmatch(names[0])
	return first != nil && !slices.ContainsFunc(names, func(name string) bool {
		m := splitName.FindStringSubmatch(name)
		return m == nil || m[1] != first[1] || m[2] != first[2]
	})
}
