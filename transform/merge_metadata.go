package transform

import (
	"cmp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/adapter"
)

// mergedKey is the metadata key under which a merged model lists the adapters
// that went into it, as JSON.
const mergedKey = "loratool.adapters"

// describeAdapters describes adapters, with their digests unless only headers are
// to be read.
func describeAdapters(adapters []adapter.Weighted, headersOnly bool) ([]MergedAdapter, error) {
	merged := make([]MergedAdapter, len(adapters))
	for i, a := range adapters {
		merged[i] = MergedAdapter{Path: a.Path, Type: a.Config.Type, Strength: a.Strength, Tensors: len(a.Weights.Tensors)}
		if headersOnly {
			continue
		}
		var err error
		if merged[i].SHA256, err = a.Digest(); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

// sortAdapters puts adapters into the order of their digests and strengths, so
// that the sum of their changes does not depend on the order they are named in.
func sortAdapters(adapters []adapter.Weighted, merged []MergedAdapter) ([]adapter.Weighted, []MergedAdapter) {
	order := make([]int, len(adapters))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(strings.Compare(merged[i].SHA256, merged[j].SHA256), cmp.Compare(merged[i].Strength, merged[j].Strength))
	})
	a, m := make([]adapter.Weighted, len(order)), make([]MergedAdapter, len(order))
	for to, from := range order {
		a[to], m[to] = adapters[from], merged[from]
	}
	return a, m
}

// checkRepeat returns an error if the base's metadata says that one of the
// adapters is in it already.
func checkRepeat(base *formats.Model, merged []MergedAdapter, o *MergeOptions) error {
	if o.AllowRepeat {
		return nil
	}
	for _, earlier := range earlierAdapters(base) {
		e, _ := earlier.(*strictjson.Object)
		for _, m := range merged {
			if m.SHA256 != "" && e.String("sha256") == m.SHA256 {
				return &formats.Error{Path: base.Path, Err: formats.Reasonf(formats.ErrMismatch, "the adapter %s has been merged into it already", m.Path),
					Hint: "merge into the base that it was trained on; --force merges it once more"}
			}
		}
	}
	return nil
}

// earlierAdapters returns what the base's metadata lists.
func earlierAdapters(base *formats.Model) strictjson.Array {
	text, _ := base.Metadata.Get(mergedKey).(string)
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		return nil
	}
	list, _ := v.(strictjson.Array)
	return list
}

// provenance returns the base's metadata with what was done to it.
func provenance(base *formats.Model, merged []MergedAdapter, o *MergeOptions) formats.Metadata {
	list := slices.Clone(earlierAdapters(base))
	for _, m := range merged {
		list = append(list, &strictjson.Object{Members: []strictjson.Member{
			{Key: "name", Value: lastElement(m.Path)},
			{Key: "type", Value: m.Type},
			{Key: "sha256", Value: cmp.Or(m.SHA256, unknownDigest)},
			{Key: "strength", Value: strictjson.Float(m.Strength)},
		}})
	}
	md := base.Metadata
	if o.Version != "" {
		md = md.With("loratool.version", o.Version)
	}
	return md.With("loratool.base", lastElement(base.Path)).
		With(mergedKey, string(strictjson.Append(nil, list))).
		With("loratool.rounding", string(o.Rounding))
}

// unknownDigest stands for digests that are not computed in a dry run, so that
// its sizes are right.
var unknownDigest = strings.Repeat("0", 64)

// lastElement returns the last element of a path: the folders above it are
// nobody's business but the user's.
func lastElement(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
