package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"

	"github.com/loratool/loratool/formats"
)

// ancestors are the magics of the formats before GGUF, as they lie in files.
var ancestors = []string{"lmgg", "fmgg", "tjgg", "algg"}

func init() {
	formats.Register(formats.Format{
		Name: "gguf",
		Sniff: func(head []byte) bool {
			return bytes.HasPrefix(head, []byte(magic)) || isAncestor(head)
		},
		Open: Open,
	})
}

func isAncestor(head []byte) bool {
	for _, a := range ancestors {
		if bytes.HasPrefix(head, []byte(a)) {
			return true
		}
	}
	return false
}

// Open reads the header of a GGUF file. If it is a shard of a split model, Open
// opens the others, which lie beside it, and returns all of them as one model,
// without the keys that describe the splitting. The model owns f.
func Open(f *formats.File) (*formats.Model, error) {
	m, err := OpenShard(f)
	if err != nil {
		return nil, err
	}
	place, err := placeOf(m)
	if err != nil {
		return nil, err
	}
	if place.count > 1 {
		if m, err = openSiblings(m, place); err != nil {
			return nil, err
		}
	}
	for _, key := range splitKeys {
		m.Metadata = m.Metadata.Without(key)
	}
	return m, nil
}

// OpenShard is [Open] for this one file, whether or not there are more: its
// tensors, and its metadata as it is.
func OpenShard(f *formats.File) (*formats.Model, error) {
	head := make([]byte, min(int64(len(magic)), f.Size))
	if _, err := f.ReadAt(head, 0); err == nil && isAncestor(head) {
		return nil, &formats.Error{Path: f.Path, Err: formats.Reasonf(formats.ErrUnsupported, "a GGML file, from before GGUF"),
			Hint: "convert it with convert_llama_ggml_to_gguf.py of llama.cpp, or download the model anew"}
	}
	h, err := readHeader(f)
	if err != nil {
		if e, ok := errors.AsType[*formats.Error](err); ok && f.OS() != nil && formats.HeadInterrupted(f.Path) {
			e.Hint = "an edit of its metadata was cut off; the same `loratool metadata` command puts the old header back and tries again"
		}
		return nil, err
	}
	m := &formats.Model{Path: f.Path, Format: "gguf", Stem: stem(f.Path), Metadata: h.metadata, Inputs: []*formats.File{f}}
	for _, e := range h.tensors {
		if h.order == binary.BigEndian {
			m.Tensors = append(m.Tensors, swappedTensor(e.Info, f, e.offset))
		} else {
			m.Tensors = append(m.Tensors, formats.NewExtent(e.Info, f, e.offset))
		}
	}
	return m, nil
}

// stem returns a file's name without folder, extension and shard number.
func stem(path string) string {
	name := filepath.Base(path)
	if prefix, _, _, ok := parseShardName(name); ok {
		return prefix
	}
	return strings.TrimSuffix(name, extension)
}
