package safetensors

import (
	"encoding/binary"

	"github.com/loratool/loratool/formats"
)

func init() {
	formats.Register(formats.Format{
		Name: "safetensors",
		// A length that the format allows and the brace after it. A header that
		// begins otherwise is none, but Open says so better.
		Sniff: func(head []byte) bool {
			return len(head) > prefix && (head[prefix] == '{' || head[prefix] == ' ') &&
				binary.LittleEndian.Uint64(head) <= 2*maxHeader
		},
		Open: Open,
	})
}

// Open reads the header of a safetensors file. The model owns f.
func Open(f *formats.File) (*formats.Model, error) {
	text, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	dataStart := prefix + int64(len(text))
	entries, metadata, err := parseHeader(f, text, f.Size-dataStart)
	if err != nil {
		return nil, err
	}
	m := &formats.Model{Path: f.Path, Format: "safetensors", Metadata: metadata, Inputs: []*formats.File{f}}
	for _, e := range entries {
		m.Tensors = append(m.Tensors, formats.NewExtent(e.Info, f, dataStart+e.begin))
	}
	return m, nil
}
