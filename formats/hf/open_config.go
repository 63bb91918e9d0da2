package hf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loratool/loratool/formats"
)

// OpenConfig opens what [Open] does, for whom a checkpoint's configuration is
// enough: a folder with config.json needs no weights, and the path may be that of
// config.json itself. Without weights the model has no tensors.
func OpenConfig(ref string) (*formats.Model, error) {
	path, err := Resolve(ref)
	if err != nil {
		return nil, err
	}
	if filepath.Base(path) == "config.json" {
		path = filepath.Dir(path)
	}
	m, err := Open(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if _, missing := os.Stat(filepath.Join(path, "config.json")); missing != nil {
		return nil, err
	}
	files, err := assets(path)
	if err != nil {
		return nil, err
	}
	return &formats.Model{Path: path, Format: "safetensors", Stem: "model", Files: files}, nil
}
