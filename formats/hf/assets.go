package hf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// weightsExtensions are those of files that hold weights in some format. They
// are never assets: an output that had the old ones beside the new would be
// loaded wrong by somebody.
var weightsExtensions = []string{".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx",
	".onnx_data", ".ot", ".tflite", ".pb", ".mlmodel", ".npz", ".nemo"}

// auxiliary reports whether a file beside weights is training state that has the
// extension of weights.
func auxiliary(name string) bool {
	switch name {
	case "training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth":
		return true
	}
	return strings.HasPrefix(name, "rng_state_") || strings.HasPrefix(name, "optim_states")
}

// notAssets are files of a folder that would be wrong beside other weights.
var notAssets = []string{".gitattributes", ".gitignore", "SHA256SUMS", "trainer_state.json"}

// assets lists the files of a checkpoint's folder that are neither weights nor
// about the old weights, in it and in its subfolders but for hidden ones. The
// weights of subfolders that modules.json names are further parts of the model,
// and belong to the list.
func assets(dir string) ([]formats.Asset, error) {
	var files []formats.Asset
	parts, err := modules(dir)
	if err != nil {
		return nil, err
	}
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow a link
	if err != nil {
		return nil, &formats.Error{Path: dir, Err: pathCause(err)}
	}
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "__pycache__" || holdsWeights(path) && !parts[name]) {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if part := filepath.Dir(rel); parts[part] {
			files = append(files, formats.Asset{Name: filepath.ToSlash(rel), Path: filepath.Join(dir, rel)})
			return nil
		}
		if slices.Contains(weightsExtensions, filepath.Ext(name)) || strings.HasSuffix(name, ".index.json") ||
			slices.Contains(notAssets, name) {
			return nil
		}
		// What can't be looked at is not left out in silence: a link of the hub's cache
		// that leads nowhere may be the tokenizer.
		info, err := os.Stat(path)
		if err != nil {
			return &formats.Error{Path: path, Err: pathCause(err), Hint: "if it is a link that leads nowhere, download the model again"}
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		files = append(files, formats.Asset{Name: filepath.ToSlash(rel), Path: filepath.Join(dir, rel)})
		return nil
	})
	if e, ok := errors.AsType[*formats.Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, &formats.Error{Path: dir, Err: pathCause(err)}
	}
	return files, nil
}

// modules returns the subfolders that hold further parts of the model, as
// sentence-transformers keeps them: pooling, dense layers.
func modules(dir string) (map[string]bool, error) {
	data, err := os.ReadFile(filepath.Join(dir, "modules.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &formats.Error{Path: filepath.Join(dir, "modules.json"), Err: pathCause(err)}
	}
	v, err := strictjson.ParsePython(data)
	if err != nil {
		return nil, &formats.Error{Path: filepath.Join(dir, "modules.json"), Err: formats.Reasonf(formats.ErrFormat, "%v", err)}
	}
	parts := map[string]bool{}
	list, _ := v.(strictjson.Array)
	for _, m := range list {
		if o, ok := m.(*strictjson.Object); ok && o.String("path") != "" {
			parts[o.String("path")] = true
		}
	}
	return parts, nil
}

// holdsWeights reports whether a subfolder has a model of its own in it: another
// format's, an intermediate checkpoint, an adapter.
func holdsWeights(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return slices.Contains(weightsExtensions, filepath.Ext(e.Name()))
	})
}
