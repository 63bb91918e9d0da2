package gguf

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
)

// magic begins every file, in either byte order.
const magic = "GGUF"

// defaultAlignment is what data is aligned to if the metadata does not say.
const defaultAlignment = 32

// alignmentKey is the metadata's key for the alignment, a power of two in uint32.
const alignmentKey = "general.alignment"

// maxDims is the greatest number of dimensions.
const maxDims = 4

// A header is all that precedes the data of a file.
type header struct {
	version   uint32
	order     binary.ByteOrder
	metadata  formats.Metadata // as in the file, with the keys of a shard
	tensors   []entry
	end       int64 // first byte after the header
	dataStart int64 // end, aligned
}

// An entry describes a tensor.
type entry struct {
	formats.Info
	offset int64 // of the data, in the file
}

// readHeader reads and checks the header of a file. All data it speaks of lies
// within the file.
func readHeader(f *formats.File) (*header, error) {
	s := newScanner(f)
	h := &header{}
	s.begin(h)
	// Smallest entries: an empty name, no dimensions; a key of one byte, a uint8.
	minTensor, minPair := int64(8+4+4+8), int64(8+1+4+1)
	if s.v1 {
		minTensor, minPair = minTensor-4, minPair-4
	}
	numTensors := s.count(minTensor, "tensors")
	numPairs := s.count(minPair, "key-value pairs")
	h.metadata = s.metadata(numPairs)
	alignment, err := Alignment(h.metadata)
	if s.err == nil && err != nil {
		s.err = &formats.Error{Path: f.Path, Err: err}
	}
	offsets := s.tensors(h, numTensors)
	if s.err != nil {
		return nil, s.err
	}
	h.end = s.pos
	h.dataStart = align(h.end, alignment)
	return h, h.place(f, offsets, alignment)
}

// begin reads what says how to read the rest: magic and version. A version that
// fills the upper half of its four bytes is one of the other byte order.
func (s *scanner) begin(h *header) {
	if m := string(s.next(len(magic))); m != magic {
		s.fail(0, formats.ErrFormat, "it begins with %q, not with %s", m, magic)
	}
	at := s.pos
	version := s.u32()
	if version&0xffff == 0 {
		s.order = binary.BigEndian
		version = version>>24 | version>>8&0xff00
	}
	switch {
	case s.err != nil:
	case version == 0 || version > 0xffff:
		s.fail(at, formats.ErrFormat, "version %d", version)
	case version > 3:
		s.fail(at, formats.ErrUnsupported, "version %d; versions 1 to 3 are known", version)
	}
	s.v1 = version == 1
	h.version, h.order = version, s.order
}

// metadata reads n key-value pairs.
func (s *scanner) metadata(n int64) formats.Metadata {
	md := make(formats.Metadata, 0, min(n, 1024))
	seen := make(map[string]bool, min(n, 1024))
	for range n {
		at := s.pos
		key := s.text("bytes of a key")
		switch {
		case s.err != nil:
		case key == "":
			s.fail(at, formats.ErrFormat, "an empty key")
		case seen[key]:
			s.fail(at, formats.ErrFormat, "the key %q appears twice", key)
		}
		value := s.value(s.valueType())
		if s.err != nil {
			return nil
		}
		seen[key] = true
		md = append(md, formats.KeyValue{Key: key, Value: value})
	}
	return md
}

// tensors reads the descriptions of n tensors into h, and returns the offset of
// each one's data from the beginning of all data.
func (s *scanner) tensors(h *header, n int64) []uint64 {
	var offsets []uint64
	seen := make(map[string]bool, min(n, 1024))
	for range n {
		at := s.pos
		name := s.text("bytes of a tensor name")
		if s.err == nil && seen[name] {
			s.fail(at, formats.ErrFormat, "two tensors are called %q", name)
		}
		seen[name] = true
		info, offset := s.tensor(name)
		if s.err != nil {
			return nil
		}
		h.tensors = append(h.tensors, entry{Info: info})
		offsets = append(offsets, offset)
	}
	return offsets
}

// tensor reads the rest of a description: shape, number format, offset.
func (s *scanner) tensor(name string) (formats.Info, uint64) {
	info := formats.Info{Name: name}
	fail := func(at int64, kind error, format string, args ...any) {
		if s.err == nil {
			s.err = &formats.Error{Path: s.file.Path, Tensor: name, Offset: at + 1, Err: formats.Reasonf(kind, format, args...)}
		}
	}
	at := s.pos
	numDims := s.u32()
	if numDims > maxDims {
		fail(at, formats.ErrFormat, "%d dimensions; at most %d are allowed", numDims, maxDims)
		return info, 0
	}
	at = s.pos
	info.Shape = make([]int, numDims)
	for i := range info.Shape {
		d := s.size()
		if d > math.MaxInt {
			fail(at, formats.ErrFormat, "a dimension of %d", int64(d))
		}
		info.Shape[i] = int(d)
	}
	slices.Reverse(info.Shape)
	at = s.pos
	id := s.u32()
	if id < uint32(len(dtypes)) {
		info.DType = dtypes[id]
	}
	if info.DType == formats.Invalid {
		fail(at, formats.ErrFormat, "number format %d does not exist", id)
		return info, 0
	}
	if _, err := formats.CheckSize(info.DType, info.Shape); err != nil {
		fail(at, formats.ErrFormat, "%v", err)
		return info, 0
	}
	if !wholeBlocks(&info) {
		fail(at, formats.ErrFormat, "rows of %v do not fill whole blocks of %d elements", &info, info.DType.BlockLen())
	}
	return info, s.u64()
}

// place checks that the data of the tensors follows without gaps, and that the
// file has all of it.
func (h *header) place(f *formats.File, offsets []uint64, alignment int64) error {
	next := h.dataStart
	for i := range h.tensors {
		t := &h.tensors[i]
		fail := func(err error) error { return &formats.Error{Path: f.Path, Tensor: t.Name, Err: err} }
		if want := uint64(next - h.dataStart); offsets[i] != want {
			what := "out of order or with a gap before it"
			if offsets[i]%uint64(alignment) != 0 {
				what = "not aligned"
			} else if offsets[i] < want {
				what = "overlapping another tensor"
			}
			return fail(formats.Reasonf(formats.ErrFormat, "its data is at offset %d, %s; %d is its place", offsets[i], what, want))
		}
		size := t.NumBytes()
		if size > f.Size-next && size > 0 {
			e := formats.Truncated(f.Path, addSat(next, size), f.Size).(*formats.Error)
			e.Tensor = t.Name
			return e
		}
		t.offset = next
		next = align(next+size, alignment)
	}
	return nil
}

// addSat returns a+b, or the greatest number if that is more.
func addSat(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// align rounds n up to a multiple of alignment.
func align(n, alignment int64) int64 { return (n + alignment - 1) &^ (alignment - 1) }

// Alignment returns what metadata ask data to be aligned to, in bytes: a power of
// two. It returns an error wrapping [formats.ErrFormat] if they ask for something
// else.
func Alignment(m formats.Metadata) (int64, error) {
	v := m.Get(alignmentKey)
	if v == nil {
		return defaultAlignment, nil
	}
	a, ok := v.(uint32)
	if !ok {
		return 0, formats.Reasonf(formats.ErrFormat, "%s is a %T; it must be a uint32", alignmentKey, v)
	}
	if a == 0 || a&(a-1) != 0 {
		return 0, formats.Reasonf(formats.ErrFormat, "%s is %d, not a power of two", alignmentKey, a)
	}
	return int64(a), nil
}
