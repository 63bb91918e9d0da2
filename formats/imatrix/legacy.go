package imatrix

import (
	"encoding/binary"
	"io"

	"github.com/loratool/loratool/formats"
)

// The old format, all numbers little-endian:
//
//	int32 number of entries
//	  int32 n, n bytes of the tensor's name
//	  int32 how many times the values were added up
//	  int32 n, n float32
//	and perhaps
//	  int32 number of pieces of text
//	  int32 n, n bytes of the name of the text's file

// A legacyReader reads an old file from front to back.
type legacyReader struct {
	file *formats.File
	pos  int64
	err  error
}

func readLegacy(f *formats.File) (*Matrix, error) {
	m := &Matrix{Path: f.Path, file: f, entries: map[string]*Entry{}}
	r := &legacyReader{file: f}
	n := r.int("number of entries")
	if r.err == nil && n == 0 {
		r.fail(0, "it has no entries")
	}
	for range n {
		at := r.pos
		name := r.text()
		count := r.int("count")
		values := r.int("number of values")
		r.need(4*values, "values")
		if r.err != nil {
			return nil, r.err
		}
		if m.entries[name] != nil {
			r.fail(at, "two entries for %q", name)
		}
		if values == 0 {
			r.fail(at, "the entry for %q has no values", name)
		}
		// Rows of one element: which of them belong together is not said.
		info := formats.Info{Name: name, DType: formats.F32, Shape: []int{int(values), 1}}
		// A count of 0 means that the values are means already.
		m.entries[name] = &Entry{f.Path, formats.NewExtent(info, f, r.pos), []float32{max(1, float32(count))}}
		r.pos += 4 * values
	}
	if r.err == nil && r.pos < f.Size {
		m.Chunks = int(r.int("number of pieces"))
		m.Datasets = []string{r.text()}
	}
	return m, r.err
}

func (r *legacyReader) fail(at int64, format string, args ...any) {
	if r.err == nil {
		r.err = formats.At(r.file.Path, at, formats.Reasonf(formats.ErrFormat, "as an importance matrix of the old format: "+format, args...))
	}
}

// need checks that n more bytes are there.
func (r *legacyReader) need(n int64, what string) {
	if n > r.file.Size-r.pos {
		r.fail(r.pos, "%d bytes of %s, but %d are left", n, what, r.file.Size-r.pos)
	}
}

func (r *legacyReader) read(n int64, what string) []byte {
	if r.need(n, what); r.err != nil {
		return nil
	}
	b := make([]byte, n)
	if k, err := r.file.ReadAt(b, r.pos); k < len(b) && err != nil && err != io.EOF {
		r.err = formats.At(r.file.Path, r.pos, err)
		return nil
	}
	r.pos += n
	return b
}

// int reads a number that is not negative.
func (r *legacyReader) int(what string) int64 {
	at := r.pos
	b := r.read(4, what)
	if r.err != nil {
		return 0
	}
	n := int32(binary.LittleEndian.Uint32(b))
	if n < 0 {
		r.fail(at, "%s %d", what, n)
		return 0
	}
	return int64(n)
}

func (r *legacyReader) text() string {
	const longest = 4096
	at := r.pos
	n := r.int("length")
	if n > longest {
		r.fail(at, "a name of %d bytes", n)
		return ""
	}
	return string(r.read(n, "a name"))
}
