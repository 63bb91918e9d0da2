package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// dataAlignment is what the data section begins at a multiple of: a cache line,
// which also serves every number format.
const dataAlignment = 64

// Layout returns the layout of a model as a single file. It returns an error if a tensor's
// number format is not one of safetensors.
func Layout(m *formats.Model) (*formats.Layout, error) {
	f, err := FileLayout("model.safetensors", m.Tensors, m.Metadata)
	if err != nil {
		return nil, err
	}
	return &formats.Layout{Format: "safetensors", Files: []formats.LayoutFile{f}, Inputs: m.Inputs}, nil
}

// FileLayout returns the layout of one file that holds the tensors.
func FileLayout(name string, tensors []*formats.Tensor, metadata formats.Metadata) (formats.LayoutFile, error) {
	f := formats.LayoutFile{Name: name}
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b *formats.Tensor) int {
		return cmp.Or(-cmp.Compare(alignmentOrder(a.DType), alignmentOrder(b.DType)), cmp.Compare(a.Name, b.Name))
	})
	header := &strictjson.Object{}
	if len(metadata) > 0 {
		o := &strictjson.Object{}
		for _, kv := range metadata {
			s, ok := kv.Value.(string)
			if !ok {
				return f, fmt.Errorf("safetensors: the metadata value of %q is no string", kv.Key)
			}
			o.Set(kv.Key, s)
		}
		header.Set("__metadata__", o)
	}
	var offset int64
	for i, t := range tensors {
		if t.DType.IsQuantized() || t.DType == formats.Invalid {
			return f, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported,
				"safetensors has no number format %v", t.DType)}
		}
		if i > 0 && tensors[i-1].DType == t.DType && tensors[i-1].Name == t.Name || header.Has(t.Name) || t.Name == "__metadata__" {
			return f, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrMismatch, "safetensors can't hold two tensors of this name")}
		}
		shape := make(strictjson.Array, len(t.Shape))
		for j, d := range t.Shape {
			shape[j] = strictjson.Int(d)
		}
		size := t.NumBytes()
		header.Set(t.Name, &strictjson.Object{Members: []strictjson.Member{
			{Key: "dtype", Value: t.DType.String()},
			{Key: "shape", Value: shape},
			{Key: "data_offsets", Value: strictjson.Array{strictjson.Int(offset), strictjson.Int(offset + size)}},
		}})
		f.Tensors = append(f.Tensors, formats.Placement{Tensor: t, Offset: offset})
		offset += size
	}
	f.Head = encodeHeader(header)
	if len(f.Head)-prefix > maxHeader {
		return f, formats.Reasonf(formats.ErrUnsupported, "%d tensors do not fit into the header of one safetensors file", len(tensors))
	}
	for i := range f.Tensors {
		f.Tensors[i].Offset += int64(len(f.Head))
	}
	f.Size = int64(len(f.Head)) + offset
	return f, nil
}

// alignmentOrder ranks number formats as the reference writer does: by the
// position in the format's list, which rises with the alignment, so that with
// the largest first every tensor is aligned.
func alignmentOrder(d formats.DType) int { return int(d) }

// encodeHeader returns the length and the text, padded with spaces.
func encodeHeader(header *strictjson.Object) []byte {
	head := strictjson.Append(make([]byte, prefix), header)
	for len(head)%dataAlignment != 0 {
		head = append(head, ' ')
	}
	binary.LittleEndian.PutUint64(head, uint64(len(head)-prefix))
	return head
}
