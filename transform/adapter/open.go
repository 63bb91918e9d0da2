package adapter

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
)

// An Adapter is an open adapter: its configuration, and its weights to be read on
// demand. It is safe for concurrent use.
type Adapter struct {
	Path    string // of the folder, or of the file if the caller named one
	Config  *Config
	Weights *formats.Model
	Files   []formats.Asset // tokenizer files of its folder

	digest func() (string, error)
}

// ConfigName is the name of an adapter's configuration.
const ConfigName = "adapter_config.json"

// weightsNames are those of an adapter's weights, in the order in which PEFT
// looks for them.
var weightsNames = []string{"adapter_model.safetensors", "adapter_model.bin"}

// Open opens the adapter that a reference means: a folder, a file of weights with
// its configuration beside it, or org/name in the Hugging Face cache. A folder
// that is no adapter but holds exactly one in its subfolders means that one.
func Open(ref string) (*Adapter, error) {
	path, err := hf.Resolve(ref)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	dir, file := path, ""
	if !info.IsDir() {
		dir = filepath.Dir(path)
		if filepath.Base(path) == ConfigName {
			path = dir
		} else {
			file = path
		}
	} else if dir, err = findAdapter(path); err != nil {
		return nil, err
	} else {
		path = dir
	}
	config, err := readConfig(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missingConfig(dir, file)
	}
	if err != nil {
		return nil, err
	}
	weights, err := openWeights(dir, file)
	if err != nil {
		return nil, err
	}
	a := &Adapter{Path: path, Config: config, Weights: weights, Files: tokenizerFiles(dir)}
	a.digest = sync.OnceValues(func() (string, error) { return digest(weights.Inputs) })
	return a, nil
}

// New returns an adapter of weights and configuration that are at hand already.
func New(weights *formats.Model, config *Config) *Adapter {
	a := &Adapter{Path: weights.Path, Config: config, Weights: weights}
	a.digest = sync.OnceValues(func() (string, error) { return digest(weights.Inputs) })
	return a
}

// Close closes the weights.
func (a *Adapter) Close() error { return a.Weights.Close() }

// Digest returns the SHA-256 of the weights' files in hexadecimal. It reads them
// as a whole, once.
func (a *Adapter) Digest() (string, error) { return a.digest() }

func digest(files []*formats.File) (string, error) {
	h := sha256.New()
	for _, f := range files {
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.Size)); err != nil {
			return "", fileError(f.Path, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// findAdapter returns dir if it holds an adapter, or the only subfolder that does:
// PEFT saves adapters under any name but "default" one folder down.
func findAdapter(dir string) (string, error) {
	for _, name := range append([]string{ConfigName}, weightsNames...) {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return dir, nil
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fileError(dir, err)
	}
	var found []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), ConfigName)); err == nil {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return dir, nil // its configuration is what is missing
	case 1:
		return filepath.Join(dir, found[0]), nil
	}
	return "", &formats.Error{Path: dir, Err: formats.Reasonf(formats.ErrMismatch, "the folder holds several adapters: %s", strings.Join(found, ", ")),
		Hint: "name the one you mean: " + filepath.Join(dir, found[0])}
}

func readConfig(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigName)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	c, err := ParseConfig(data)
	return c, at(path, err)
}

// missingConfig says that there is no configuration, or what explains it: a file
// that is no weights either, such as a git-lfs pointer, or the folder of a model.
func missingConfig(dir, file string) error {
	if file != "" {
		m, err := formats.Open(file)
		if err != nil {
			return err
		}
		m.Close()
	} else if isModel(dir) {
		return &formats.Error{Path: dir, Err: formats.Reasonf(formats.ErrMismatch, "a model, not an adapter: it has a config.json and no %s", ConfigName),
			Hint: "loratool extract makes an adapter of a model and what it was fine-tuned from"}
	}
	return &formats.Error{Path: filepath.Join(dir, ConfigName), Err: formats.Reasonf(formats.ErrFormat, "the adapter has no configuration: there is no such file"),
		Hint: "the scale of a LoRA is in its configuration alone; get adapter_config.json from where the weights come from"}
}

// isModel reports whether the folder has what a model has and an adapter has not.
func isModel(dir string) bool {
	for _, name := range weightsNames {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return false
		}
	}
	_, err := os.Lstat(filepath.Join(dir, "config.json"))
	return err == nil
}

// at returns err as an error about the file, keeping what it says already.
func at(path string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*formats.Error); ok {
		if e.Path == "" {
			e.Path = path
		}
		return e
	}
	return &formats.Error{Path: path, Err: err}
}

// openWeights opens the weights' file, or the one of the folder if none is named.
func openWeights(dir, file string) (*formats.Model, error) {
	if file != "" {
		return formats.Open(file)
	}
	for _, name := range weightsNames {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return formats.Open(path)
		}
	}
	return hf.Open(dir)
}

// tokenizerNames are files that belong to a tokenizer.
var tokenizerNames = []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt",
	"merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json"}

func tokenizerFiles(dir string) []formats.Asset {
	var files []formats.Asset
	for _, name := range tokenizerNames {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			files = append(files, formats.Asset{Name: name, Path: path})
		}
	}
	return files
}

func fileError(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &formats.Error{Path: path, Err: err}
}
