package safetensors

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// maxHeader is the largest header that the format allows, in bytes.
const maxHeader = 100_000_000

// prefix is the size of the length before the header.
const prefix = 8

// entry is a tensor of a header: its description and its bytes in the data.
type entry struct {
	formats.Info
	begin, end int64
}

// readHeader returns the header's text.
func readHeader(f *formats.File) ([]byte, error) {
	if f.Size < prefix {
		return nil, formats.Truncated(f.Path, prefix, f.Size)
	}
	var length [prefix]byte
	if err := f.ReadFull(length[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	switch {
	case n > maxHeader:
		return nil, formats.At(f.Path, 0, formats.Reasonf(formats.ErrFormat,
			"the header would be %d bytes long, more than the %d that the format allows", n, maxHeader))
	case int64(n) > f.Size-prefix:
		return nil, formats.Truncated(f.Path, prefix+int64(n), f.Size)
	}
	text := make([]byte, n)
	if err := f.ReadFull(text, prefix); err != nil {
		return nil, err
	}
	if n == 0 || text[0] != '{' {
		return nil, formats.At(f.Path, prefix, formats.Reasonf(formats.ErrFormat, "the header does not begin with {"))
	}
	return text, nil
}

// parseHeader returns the tensors in the order of their data, and the metadata
// in file order. dataSize is what the file has after its header.
func parseHeader(f *formats.File, text []byte, dataSize int64) ([]entry, formats.Metadata, error) {
	v, err := strictjson.Parse(text)
	if err != nil {
		offset := int64(prefix)
		if s, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
			offset += int64(s.Offset)
		}
		return nil, nil, formats.At(f.Path, offset, formats.Reasonf(formats.ErrFormat, "header: %v", err))
	}
	header := v.(*strictjson.Object) // it begins with a brace
	var (
		entries  []entry
		metadata formats.Metadata
	)
	for _, m := range header.Members {
		if m.Key == "__metadata__" {
			if metadata, err = parseMetadata(m.Value); err != nil {
				return nil, nil, &formats.Error{Path: f.Path, Err: err}
			}
			continue
		}
		e, err := parseEntry(m.Value)
		if err != nil {
			return nil, nil, &formats.Error{Path: f.Path, Tensor: m.Key, Err: err}
		}
		e.Name = m.Key
		entries = append(entries, e)
	}
	// The data must be in the order of the header's offsets, not of its text.
	// Empty tensors come before the one whose first byte they point at.
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	if err := checkCoverage(f, entries, prefix+int64(len(text)), dataSize); err != nil {
		return nil, nil, err
	}
	return entries, metadata, nil
}

// checkCoverage makes sure that every byte of the data belongs to one tensor.
func checkCoverage(f *formats.File, entries []entry, dataStart, dataSize int64) error {
	var end int64
	for i, e := range entries {
		if e.begin == end {
			end = e.end
			continue
		}
		what := fmt.Sprintf("nobody owns the %d bytes before it", e.begin-end)
		if e.begin < end {
			what = fmt.Sprintf("it shares bytes with %q", entries[i-1].Name)
		}
		return &formats.Error{Path: f.Path, Tensor: e.Name, Offset: dataStart + e.begin + 1,
			Err: formats.Reasonf(formats.ErrFormat, "%s", what)}
	}
	switch {
	case end > dataSize:
		return formats.Truncated(f.Path, dataStart+end, dataStart+dataSize)
	case end < dataSize:
		return formats.At(f.Path, dataStart+end, formats.Reasonf(formats.ErrFormat,
			"%d bytes follow the last tensor", dataSize-end))
	}
	return nil
}

func parseMetadata(v strictjson.Value) (formats.Metadata, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(*strictjson.Object)
	if !ok {
		return nil, formats.Reasonf(formats.ErrFormat, "header: __metadata__ is not an object")
	}
	var metadata formats.Metadata
	for _, m := range o.Members {
		s, ok := m.Value.(string)
		if !ok {
			return nil, formats.Reasonf(formats.ErrFormat, "header: the value of %q in __metadata__ is not a string", m.Key)
		}
		metadata = append(metadata, formats.KeyValue{Key: m.Key, Value: s})
	}
	return metadata, nil
}

func parseEntry(v strictjson.Value) (e entry, err error) {
	o, ok := v.(*strictjson.Object)
	if !ok {
		return e, formats.Reasonf(formats.ErrFormat, "its description is not an object")
	}
	name := o.String("dtype")
	if e.DType, ok = formats.ParseDType(name); !ok || e.DType.IsQuantized() {
		return e, formats.Reasonf(formats.ErrFormat, "unknown dtype %q", name)
	}
	shape, ok := o.Get("shape").(strictjson.Array)
	if !ok {
		return e, formats.Reasonf(formats.ErrFormat, "it has no shape")
	}
	e.Shape = make([]int, len(shape))
	for i, d := range shape {
		n, ok := d.(strictjson.Number)
		u, fits := n.Uint()
		if !ok || !fits || u > math.MaxInt {
			return e, formats.Reasonf(formats.ErrFormat, "dimension %d of its shape is not a size", i)
		}
		e.Shape[i] = int(u)
	}
	size, err := formats.CheckSize(e.DType, e.Shape)
	if err != nil {
		return e, err
	}
	offsets := o.Array("data_offsets")
	if len(offsets) != 2 {
		return e, formats.Reasonf(formats.ErrFormat, "its data_offsets are not two numbers")
	}
	var bounds [2]int64
	for i, v := range offsets {
		n, ok := v.(strictjson.Number)
		u, fits := n.Uint()
		if !ok || !fits || u > math.MaxInt64/2 {
			return e, formats.Reasonf(formats.ErrFormat, "its data_offsets are not two sizes")
		}
		bounds[i] = int64(u)
	}
	e.begin, e.end = bounds[0], bounds[1]
	if e.end-e.begin != size {
		return e, formats.Reasonf(formats.ErrFormat, "it has %d bytes of data, but %v takes %d", e.end-e.begin, &e.Info, size)
	}
	return e, nil
}
