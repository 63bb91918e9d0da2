package torch

import (
	"encoding/binary"

	"github.com/loratool/loratool/formats"
)

// Before PyTorch 1.6, torch.save wrote five pickles one after another: a magic
// number, the version of the protocol, what machine wrote it, the object, and
// the keys of its storages. The storages follow in the order of these keys,
// each as the number of its elements in eight bytes and the elements. Numbers
// are little-endian whatever the machine.
const (
	legacyMagic   = longInt("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") // 0x1950a86a20f9469cfc6c
	legacyVersion = 1001
)

func openLegacy(f *formats.File) (*formats.Model, error) {
	in := &input{file: f, end: min(f.Size, maxPickle)}
	magic, err := load(in)
	if err != nil {
		return nil, err
	}
	if magic != any(legacyMagic) {
		return nil, in.error(0, formats.ErrFormat, "not one that torch.save writes: it begins with %s instead of the magic number", kindOf(magic))
	}
	version, err := load(in)
	if err != nil {
		return nil, err
	}
	if version != any(int64(legacyVersion)) {
		return nil, in.error(in.pos, formats.ErrUnsupported, "not version %d of torch.save's format, which was the last", legacyVersion)
	}
	if _, err := load(in); err != nil { // sizes of C's types, of no use
		return nil, err
	}
	m, v, err := run(in)
	if err != nil {
		return nil, err
	}
	keys, err := load(in)
	if err != nil {
		return nil, err
	}
	place, err := m.readStorages(keys)
	if err != nil {
		return nil, err
	}
	return model(m, v, place, false)
}

// readStorages goes through the storages that follow the pickles, whose sizes
// only the storages of the pickle tell.
func (m *machine) readStorages(keys any) (placement, error) {
	in := m.in
	l, ok := keys.(*list)
	if !ok {
		return nil, in.error(in.pos, formats.ErrFormat, "%s where the keys of the storages were expected", kindOf(keys))
	}
	offsets := make(map[string]int64, len(l.items))
	at := in.pos
	for _, k := range l.items {
		key, ok := k.(string)
		s := m.storages[key]
		if !ok || s == nil {
			return nil, in.error(at, formats.ErrFormat, "a storage %.100q that no tensor has (its key is %s)", key, kindOf(k))
		}
		if _, ok := offsets[key]; ok {
			return nil, in.error(at, formats.ErrFormat, "two storages are called %.100q", key)
		}
		var head [8]byte
		if err := in.file.ReadFull(head[:], at); err != nil {
			return nil, err
		}
		n := binary.LittleEndian.Uint64(head[:])
		if n != uint64(s.bytes/s.size) {
			return nil, in.error(at, formats.ErrFormat, "storage %.100q has %d elements in the file and %d in the pickle", key, n, s.bytes/s.size)
		}
		at += int64(len(head))
		if s.bytes > in.file.Size-at {
			return nil, formats.Truncated(in.file.Path, at+s.bytes, in.file.Size)
		}
		offsets[key] = at
		at += s.bytes
	}
	if at != in.file.Size {
		return nil, in.error(at, formats.ErrFormat, "%d bytes behind the last storage", in.file.Size-at)
	}
	return func(s *storage) (int64, error) {
		offset, ok := offsets[s.key]
		if !ok {
			return 0, in.error(s.pickled, formats.ErrFormat, "there is no storage %.100q", s.key)
		}
		if first := m.storages[s.key]; s.bytes != first.bytes {
			return 0, in.error(s.pickled, formats.ErrFormat, "storage %.100q has %d bytes here and %d before", s.key, s.bytes, first.bytes)
		}
		return offset, nil
	}, nil
}
