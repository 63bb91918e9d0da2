package hf

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// An index maps tensors to the shards of a checkpoint.
type index struct {
	path   string
	shards []string // names of files in the index's folder, sorted
	shard  map[string]string
}

// readIndex reads a model.safetensors.index.json or pytorch_model.bin.index.json.
// A shard must be a file of the index's own folder: a path that leads out of it
// would make a download read files of its user.
func readIndex(path string) (*index, error) {
	o, err := readObject(path)
	if err != nil {
		return nil, err
	}
	weights := o.Object("weight_map")
	if weights == nil {
		return nil, &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "it has no weight_map")}
	}
	ix := &index{path: path, shard: map[string]string{}}
	for _, m := range weights.Members {
		name, ok := m.Value.(string)
		if !ok || name == "" {
			return nil, &formats.Error{Path: path, Tensor: m.Key, Err: formats.Reasonf(formats.ErrFormat, "its file in weight_map is not a name")}
		}
		if !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\x00") {
			return nil, &formats.Error{Path: path, Tensor: m.Key, Err: formats.Reasonf(formats.ErrFormat,
				"its file in weight_map, %q, lies outside the checkpoint's folder", name)}
		}
		ix.shard[m.Key] = name
	}
	seen := map[string]bool{}
	for _, name := range ix.shard {
		if !seen[name] {
			seen[name] = true
			ix.shards = append(ix.shards, name)
		}
	}
	if len(ix.shards) == 0 {
		return nil, &formats.Error{Path: path, Err: formats.Reasonf(formats.ErrFormat, "its weight_map is empty")}
	}
	slices.Sort(ix.shards)
	return ix, nil
}

// openIndex opens all shards of an index and checks that each tensor is where the
// index says, and none is anywhere else.
func openIndex(path string) (*formats.Model, error) {
	ix, err := readIndex(path)
	if err != nil {
		return nil, err
	}
	m, err := openShards(path, filepath.Dir(path), ix.shards)
	if err != nil {
		return nil, err
	}
	if err := ix.check(m); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// openShards opens files of a folder as one model.
func openShards(path, dir string, names []string) (_ *formats.Model, err error) {
	var shards []*formats.Model
	defer func() {
		if err != nil {
			for _, s := range shards {
				s.Close()
			}
		}
	}()
	for _, name := range names {
		s, err := formats.Open(filepath.Join(dir, name))
		if err != nil {
			if e, ok := errors.AsType[*formats.Error](err); ok && errors.Is(err, fs.ErrNotExist) {
				e.Err = formats.Reasonf(formats.ErrTruncated, "the checkpoint consists of this file too, and it is not there")
				e.Hint = "the checkpoint lacks one of its files; download it again, with `hf download` if it comes from the hub"
			}
			return nil, err
		}
		shards = append(shards, s)
	}
	return formats.Join(path, shards)
}

func (ix *index) check(m *formats.Model) error {
	for _, t := range m.Tensors {
		want, ok := ix.shard[t.Name]
		var at string
		if x := t.Extent(); x != nil {
			at = filepath.Base(x.File.Path)
		}
		switch {
		case !ok:
			return &formats.Error{Path: ix.path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrFormat,
				"it is in %s, but the index does not know it", cmp.Or(at, "a shard"))}
		case at != "" && at != want:
			return &formats.Error{Path: ix.path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrFormat,
				"it is in %s, but the index says %s", at, want)}
		}
	}
	for name := range ix.shard {
		if m.Tensor(name) == nil {
			return &formats.Error{Path: ix.path, Tensor: name, Err: formats.Reasonf(formats.ErrFormat,
				"the index says it is in %s, but it is not", ix.shard[name])}
		}
	}
	return nil
}

// readObject reads a JSON file that holds an object.
func readObject(path string) (*strictjson.Object, error) {
	f, err := formats.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, f.Size)
	if _, err := f.ReadAt(data, 0); err != nil && f.Size > 0 {
		return nil, &formats.Error{Path: path, Err: pathCause(err)}
	}
	return parseObject(path, data)
}

// parseObject is strictjson.ParseObject with errors that name the file.
func parseObject(path string, data []byte) (*strictjson.Object, error) {
	o, err := strictjson.ParseObject(data)
	if e, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
		return nil, formats.At(path, int64(e.Offset), formats.Reasonf(formats.ErrFormat, "JSON: %s", e.Msg))
	}
	return o, err
}
