package gguf

import (
	"slices"

	"github.com/loratool/loratool/formats"
)

// LayoutOptions say whether and how a model is split into shards. The zero value
// is a single file.
type LayoutOptions struct {
	MaxShardSize    int64 // greatest size of a file in bytes; 0 for no limit. A tensor that is larger has a shard of its own.
	MaxShardTensors int   // greatest number of tensors in a shard; 0 for no limit

	// Shards, if there are any, are which shard each of the model's tensors goes
	// to, instead of the limits. Tensors must come in the order of their shards.
	Shards []int
}

// Layout returns the layout of a model as a GGUF file, or, if the options split
// it, as a folder of shards that are called after the model's stem. Tensors keep
// their order. It returns an error wrapping [formats.ErrUnsupported] if GGUF
// can't express a tensor.
func Layout(m *formats.Model, o LayoutOptions) (*formats.Layout, error) {
	alignment, err := Alignment(m.Metadata)
	if err != nil {
		return nil, &formats.Error{Path: m.Path, Err: err}
	}
	if err := checkTensors(m); err != nil {
		return nil, err
	}
	l := &formats.Layout{Format: "gguf", Inputs: m.Inputs}
	if o.MaxShardSize == 0 && o.MaxShardTensors == 0 && len(o.Shards) == 0 {
		f, err := fileLayout(stemOf(m)+extension, m.Tensors, m.Metadata, alignment)
		if err != nil {
			return nil, err
		}
		l.Files = []formats.LayoutFile{f}
		return l, nil
	}
	shards, err := split(m, &o, alignment)
	if err != nil {
		return nil, err
	}
	if len(shards) > maxShards {
		return nil, formats.Reasonf(formats.ErrUnsupported, "the model would have %d shards; at most %d are possible", len(shards), maxShards)
	}
	l.Folder = true
	for i, tensors := range shards {
		metadata := shardMetadata(m, i, len(shards))
		f, err := fileLayout(ShardName(stemOf(m), i, len(shards)), tensors, metadata, alignment)
		if err != nil {
			return nil, err
		}
		l.Files = append(l.Files, f)
	}
	return l, nil
}

func stemOf(m *formats.Model) string {
	if m.Stem == "" {
		return "model"
	}
	return m.Stem
}

// shardMetadata returns the metadata of shard i: the model's for the first, the
// alignment for all, and the shard's place.
func shardMetadata(m *formats.Model, i, count int) formats.Metadata {
	var md formats.Metadata
	if i == 0 {
		md = m.Metadata
	} else if a := m.Metadata.Get(alignmentKey); a != nil {
		md = formats.Metadata{{Key: alignmentKey, Value: a}}
	}
	return md.With(splitNo, uint16(i)).With(splitCount, uint16(count)).With(splitTensors, int32(len(m.Tensors)))
}

// split divides the model's tensors among shards.
func split(m *formats.Model, o *LayoutOptions, alignment int64) ([][]*formats.Tensor, error) {
	if len(o.Shards) > 0 {
		if len(o.Shards) != len(m.Tensors) || !slices.IsSorted(o.Shards) {
			panic("gguf: the shards do not fit the tensors")
		}
		shards := make([][]*formats.Tensor, o.Shards[len(o.Shards)-1]+1)
		for i, t := range m.Tensors {
			shards[o.Shards[i]] = append(shards[o.Shards[i]], t)
		}
		return shards, nil
	}
	heads := make([]int64, 2) // of the first shard and of others, without tensors
	for i := range heads {
		e := &encoder{}
		e.begin(0, 0)
		for _, kv := range shardMetadata(m, i, 2) {
			if err := e.pair(kv); err != nil {
				return nil, err
			}
		}
		heads[i] = int64(len(e.buf))
	}
	shards := [][]*formats.Tensor{nil}
	head, data := heads[0], int64(0)
	for _, t := range m.Tensors {
		last := len(shards) - 1
		size := align(t.NumBytes(), alignment)
		full := o.MaxShardTensors > 0 && len(shards[last]) >= o.MaxShardTensors ||
			o.MaxShardSize > 0 && align(head+tensorBytes(&t.Info), alignment)+data+size > o.MaxShardSize
		if full && len(shards[last]) > 0 {
			shards = append(shards, nil)
			last, head, data = last+1, heads[1], 0
		}
		shards[last] = append(shards[last], t)
		head, data = head+tensorBytes(&t.Info), data+size
	}
	return shards, nil
}

// fileLayout returns the layout of one file.
func fileLayout(name string, tensors []*formats.Tensor, metadata formats.Metadata, alignment int64) (formats.LayoutFile, error) {
	f := formats.LayoutFile{Name: name}
	e := &encoder{}
	e.begin(len(tensors), len(metadata))
	seen := make(map[string]bool, len(metadata))
	for _, kv := range metadata {
		if seen[kv.Key] {
			return f, formats.Reasonf(formats.ErrUnsupported, "the metadata has the key %q twice", kv.Key)
		}
		seen[kv.Key] = true
		if err := e.pair(kv); err != nil {
			return f, err
		}
	}
	var offset int64
	for _, t := range tensors {
		e.tensor(&t.Info, offset)
		f.Tensors = append(f.Tensors, formats.Placement{Tensor: t, Offset: offset})
		offset += align(t.NumBytes(), alignment)
	}
	e.pad(alignment)
	f.Head = e.buf
	for i := range f.Tensors {
		f.Tensors[i].Offset += int64(len(f.Head))
	}
	f.Size = int64(len(f.Head)) + offset
	return f, nil
}

// checkTensors returns an error if GGUF can't express one of the tensors.
func checkTensors(m *formats.Model) error {
	seen := make(map[string]bool, len(m.Tensors))
	for _, t := range m.Tensors {
		_, known := dtypeID(t.DType)
		var err error
		switch {
		case seen[t.Name]:
			err = formats.Reasonf(formats.ErrMismatch, "GGUF can't hold two tensors of this name")
		case len(t.Name) > maxName:
			err = formats.Reasonf(formats.ErrUnsupported, "its name has %d bytes; GGUF names have at most %d", len(t.Name), maxName)
		case !known:
			err = formats.Reasonf(formats.ErrUnsupported, "GGUF has no number format %v", t.DType)
		case len(t.Shape) > maxDims:
			err = formats.Reasonf(formats.ErrUnsupported, "its shape %v has %d dimensions; GGUF has at most %d", t.Shape, len(t.Shape), maxDims)
		case !wholeBlocks(&t.Info):
			err = formats.Reasonf(formats.ErrMismatch, "rows of %v do not fill whole blocks", &t.Info)
		}
		if err != nil {
			return t.Error(err)
		}
		seen[t.Name] = true
	}
	return nil
}

// wholeBlocks reports whether every row fills whole blocks.
func wholeBlocks(info *formats.Info) bool {
	cols := 1
	if n := len(info.Shape); n > 0 {
		cols = info.Shape[n-1]
	}
	return cols%info.DType.BlockLen() == 0
}
