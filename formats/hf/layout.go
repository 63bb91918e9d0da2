package hf

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/safetensors"
	"github.com/loratool/loratool/formats/strictjson"
)

// DefaultShardSize is how large a weights file becomes before another one is
// begun, in bytes: the 5GB that transformers long had, and that any host takes.
const DefaultShardSize = 5_000_000_000

// LayoutOptions say how a checkpoint is divided into files.
type LayoutOptions struct {
	MaxShardSize int64 // bytes of tensor data in a file, unless a single tensor has more; 0 for DefaultShardSize
}

// Layout returns the layout of a model as a checkpoint folder: its weights as
// safetensors, in one file or in shards with an index, named as transformers
// names them, and its assets beside them.
func Layout(m *formats.Model, o LayoutOptions) (*formats.Layout, error) {
	l := &formats.Layout{Format: "safetensors", Folder: true, Inputs: m.Inputs}
	metadata := m.Metadata
	if m.Format != "safetensors" {
		metadata = nil // it says nothing about safetensors
		for _, kv := range m.Metadata {
			if s, ok := kv.Value.(string); ok && isOurs(kv.Key) {
				metadata = metadata.With(kv.Key, s)
			}
		}
	}
	if metadata.Get("format") == nil {
		metadata = metadata.With("format", "pt") // transformers wants to know who wrote it
	}
	shards := divide(m.Tensors, cmp.Or(o.MaxShardSize, DefaultShardSize))
	stem := cmp.Or(m.Stem, "model")
	weightMap := map[string]string{}
	for i, tensors := range shards {
		name := stem + ".safetensors"
		if len(shards) > 1 {
			name = stem + "-" + shardNumber(i+1) + "-of-" + shardNumber(len(shards)) + ".safetensors"
		}
		f, err := safetensors.FileLayout(name, tensors, metadata)
		if err != nil {
			return nil, err
		}
		l.Files = append(l.Files, f)
		for _, t := range tensors {
			if other, ok := weightMap[t.Name]; ok {
				return nil, &formats.Error{Tensor: t.Name, Err: formats.Reasonf(formats.ErrMismatch, "it would be in %s and %s", other, name)}
			}
			weightMap[t.Name] = name
		}
	}
	for _, a := range m.Files {
		size := int64(len(a.Data))
		if a.Data == nil {
			info, err := os.Stat(a.Path)
			if err != nil {
				return nil, &formats.Error{Path: a.Path, Err: pathCause(err)}
			}
			size = info.Size()
		}
		l.AddAsset(a, size)
	}
	if len(shards) > 1 {
		l.AddAsset(formats.Asset{Name: stem + ".safetensors.index.json"}, 0)
		index := &l.Files[len(l.Files)-1]
		index.Head = encodeIndex(m, weightMap)
		index.Size = int64(len(index.Head))
	}
	return l, nil
}

// isOurs reports whether a metadata key is loratool's own provenance.
func isOurs(key string) bool { return len(key) > 9 && key[:9] == "loratool." }

func shardNumber(i int) string { return fmt.Sprintf("%05d", i) }

// divide splits tensors, in order, into shards of at most limit bytes. A tensor
// that is larger has a shard of its own. An empty model is one empty shard.
func divide(tensors []*formats.Tensor, limit int64) [][]*formats.Tensor {
	shards := [][]*formats.Tensor{nil}
	var size int64
	for _, t := range tensors {
		if size > 0 && size+t.NumBytes() > limit {
			shards = append(shards, nil)
			size = 0
		}
		last := len(shards) - 1
		shards[last] = append(shards[last], t)
		size += t.NumBytes()
	}
	return shards
}

// encodeIndex returns the index of shards as transformers writes it, sorted.
func encodeIndex(m *formats.Model, weightMap map[string]string) []byte {
	names := make([]string, 0, len(weightMap))
	for name := range weightMap {
		names = append(names, name)
	}
	slices.Sort(names)
	weights := &strictjson.Object{}
	for _, name := range names {
		weights.Set(name, weightMap[name])
	}
	return strictjson.Format(&strictjson.Object{Members: []strictjson.Member{
		{Key: "metadata", Value: &strictjson.Object{Members: []strictjson.Member{
			{Key: "total_parameters", Value: strictjson.Int(m.NumParameters())},
			{Key: "total_size", Value: strictjson.Int(m.NumBytes())},
		}}},
		{Key: "weight_map", Value: weights},
	}})
}
