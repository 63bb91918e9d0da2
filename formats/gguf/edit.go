package gguf

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/loratool/loratool/formats"
)

// padKey is a key that files get where new metadata is shorter than the old: its
// value, a string of spaces, keeps the data where it is, and is room for the
// next edit. Its name has 12 bytes, so that with two lengths and a type it takes
// 32 bytes, no more than the least alignment that files have in practice.
const padKey = "loratool.pad"

// padBytes is what the key takes with an empty value.
const padBytes = int64(8 + len(padKey) + 4 + 8)

// EditInPlace changes the metadata of a file without moving its data, in the way
// of [formats.EditHead]. change gets the metadata as they are in this file (also
// of a shard) and returns the new ones. It reports false, and has changed
// nothing, if the new header does not fit in the place of the old one, or the
// file is of another version or byte order than we write, or the alignment
// would change: then the file must be written anew.
func EditInPlace(path string, change func(formats.Metadata) (formats.Metadata, error)) (ok bool, err error) {
	err = formats.EditHead(path, func(f *formats.File) ([]byte, error) {
		h, err := readHeader(f)
		if err != nil {
			return nil, err
		}
		metadata, err := change(h.metadata.Without(padKey))
		if err != nil {
			return nil, err
		}
		head, err := h.headWith(metadata)
		ok = head != nil && int64(len(head)) <= f.Size
		if !ok {
			head = nil
		}
		return head, err
	})
	return ok && err == nil, err
}

// headWith returns a header of the same length for the same tensors with other
// metadata, or nil if there is none.
func (h *header) headWith(metadata formats.Metadata) ([]byte, error) {
	alignment, err := Alignment(metadata)
	if err != nil {
		return nil, err
	}
	if old, err := Alignment(h.metadata); err != nil || alignment != old || h.version < 2 || h.order == binary.BigEndian {
		return nil, err
	}
	head, err := h.encode(metadata)
	if err != nil {
		return nil, err
	}
	room := h.dataStart - int64(len(head))
	if room >= alignment {
		if room < padBytes {
			return nil, nil
		}
		pad := strings.Repeat(" ", int(room-padBytes))
		if head, err = h.encode(metadata.With(padKey, pad)); err != nil {
			return nil, err
		}
	}
	if int64(len(head)) > h.dataStart {
		return nil, nil
	}
	return append(head, make([]byte, h.dataStart-int64(len(head)))...), nil
}

// encode returns the header with the given metadata, without padding, in the
// file's own version.
func (h *header) encode(metadata formats.Metadata) ([]byte, error) {
	e := &encoder{}
	e.begin(len(h.tensors), len(metadata))
	binary.LittleEndian.PutUint32(e.buf[len(magic):], h.version)
	for _, kv := range metadata {
		if err := e.pair(kv); err != nil {
			return nil, err
		}
	}
	for i := range h.tensors {
		t := &h.tensors[i]
		e.tensor(&t.Info, t.offset-h.dataStart)
	}
	return e.buf, nil
}

// Set returns metadata with an assignment "key=value" or "key=type:value" made.
// Without a type the value takes the type of the one it replaces; a new one is a
// string. Types are spelled as in Go, and as [TypeName] spells them; elements of
// arrays, "[]string:a,b", are separated by commas.
func Set(m formats.Metadata, assignment string) (formats.Metadata, error) {
	key, text, ok := strings.Cut(assignment, "=")
	if !ok || key == "" {
		return nil, fmt.Errorf("%q is no assignment; write key=value or key=type:value", assignment)
	}
	name, rest, typed := strings.Cut(text, ":")
	if _, known := parsers[strings.TrimPrefix(name, "[]")]; typed && known {
		text = rest
	} else if old := m.Get(key); old == nil {
		name = "string"
	} else if name = TypeName(old); name == "" {
		return nil, fmt.Errorf("%s is an array of arrays, which can't be set", key)
	}
	v, err := parseValue(name, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return m.With(key, v), nil
}
