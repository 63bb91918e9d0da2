package gguf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
)

// A model may be split into shards, files that are each a GGUF file with some of
// the tensors. The first has the metadata. Three keys say how they belong
// together, and the files' names say it again:
//
//	split.no             uint16  which one it is, from 0
//	split.count          uint16  how many there are
//	split.tensors.count  int32   how many tensors all of them have
//	STEM-00001-of-00003.gguf     from 1
const (
	splitNo      = "split.no"
	splitCount   = "split.count"
	splitTensors = "split.tensors.count"
	extension    = ".gguf"
)

var splitKeys = []string{splitNo, splitCount, splitTensors}

// maxShards is the greatest number of shards: what fits split.count and the five
// digits of names.
const maxShards = 65535

// ShardName returns the name of shard i of count, where i counts from 0.
func ShardName(stem string, i, count int) string {
	return fmt.Sprintf("%s-%05d-of-%05d%s", stem, i+1, count, extension)
}

// parseShardName undoes [ShardName].
func parseShardName(name string) (stem string, i, count int, ok bool) {
	rest, ok := strings.CutSuffix(name, extension)
	if !ok {
		return "", 0, 0, false
	}
	const suffix = len("-00001-of-00003")
	if len(rest) < suffix {
		return "", 0, 0, false
	}
	stem, tail := rest[:len(rest)-suffix], rest[len(rest)-suffix:]
	i, err1 := strconv.Atoi(tail[1:6])
	count, err2 := strconv.Atoi(tail[10:])
	if err1 != nil || err2 != nil || ShardName(stem, i-1, count) != name {
		return "", 0, 0, false
	}
	return stem, i - 1, count, true
}

// shardPlace is what a file says of itself as a shard.
type shardPlace struct {
	no, count, tensors int64 // count 0 or 1 if it is the whole model
}

// placeOf returns what the metadata of a file say of it as a shard.
func placeOf(m *formats.Model) (p shardPlace, err error) {
	for _, k := range []struct {
		key  string
		dst  *int64
		most int64
	}{{splitNo, &p.no, maxShards - 1}, {splitCount, &p.count, maxShards}, {splitTensors, &p.tensors, 1 << 31}} {
		v := m.Metadata.Get(k.key)
		if v == nil {
			continue
		}
		n, ok := integer(v)
		if !ok || n < 0 || n > k.most {
			return p, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrFormat, "%s is %v", k.key, v)}
		}
		*k.dst = n
	}
	if p.count > 1 && p.no >= p.count {
		return p, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrFormat,
			"%s is %d, but %s is %d", splitNo, p.no, splitCount, p.count)}
	}
	return p, nil
}

// integer returns the value of any integer type that fits an int64.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case uint8:
		return int64(v), true
	case int8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case int16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint64:
		return int64(v), v < 1<<63
	case int64:
		return v, true
	}
	return 0, false
}

// openSiblings opens the shards that first is one of, and joins all of them.
// They are closed if it returns an error, all but first.
func openSiblings(first *formats.Model, place shardPlace) (m *formats.Model, err error) {
	dir, name := filepath.Split(first.Path)
	stem, i, count, ok := parseShardName(name)
	fail := func(m *formats.Model, kind error, format string, args ...any) error {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(kind, format, args...)}
	}
	switch {
	case !ok || first.Inputs[0].OS() == nil:
		return nil, fail(first, formats.ErrMismatch, "it is shard %d of %d, but its name does not say so, as in %s; the others can't be found",
			place.no+1, place.count, ShardName("model", int(place.no), int(place.count)))
	case int64(i) != place.no || int64(count) != place.count:
		return nil, fail(first, formats.ErrMismatch, "it is shard %d of %d, but is named as %d of %d",
			place.no+1, place.count, i+1, count)
	}
	shards := make([]*formats.Model, count)
	defer func() {
		if err != nil {
			for _, s := range shards {
				if s != nil && s != first {
					s.Close()
				}
			}
		}
	}()
	var tensors int64
	for j := range shards {
		if shards[j] = first; j != i {
			if shards[j], err = openSibling(dir + ShardName(stem, j, count)); err != nil {
				return nil, err
			}
		}
		s := shards[j]
		p, err := placeOf(s)
		if err != nil {
			return nil, err
		}
		if p != (shardPlace{int64(j), place.count, place.tensors}) {
			return nil, fail(s, formats.ErrMismatch, "it says to be shard %d of %d, of a model of %d tensors; %s speaks of %d shards and %d tensors",
				p.no+1, p.count, p.tensors, name, place.count, place.tensors)
		}
		tensors += int64(len(s.Tensors))
	}
	if tensors != place.tensors {
		return nil, fail(first, formats.ErrMismatch, "the model has %d tensors, but its %d shards have %d", place.tensors, count, tensors)
	}
	return formats.Join(first.Path, shards)
}

func openSibling(path string) (*formats.Model, error) {
	f, err := formats.OpenFile(path)
	if err != nil {
		if e, ok := errors.AsType[*formats.Error](err); ok && errors.Is(err, fs.ErrNotExist) {
			e.Hint = "the model is split, and all of its shards must lie beside each other; this one is missing"
		}
		return nil, err
	}
	m, err := OpenShard(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}
