package arch

import (
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
)

// templateKeys returns the key-values of a model that is described by another GGUF
// file of its family: names are the model's own general.* key-values, everything
// about architecture and tokenizer is the template's. Both must have the same
// tensors, of the same shapes: anything else would be another model, and the
// template's numbers wrong.
func templateKeys(a *Architecture, names formats.Metadata, file uint32, template *formats.Model, tensors []*formats.Tensor) (formats.Metadata, error) {
	byName := map[string]*formats.Tensor{}
	for _, t := range tensors {
		byName[t.Name] = t
	}
	for _, t := range template.Tensors {
		x := byName[t.Name]
		switch {
		case x == nil && a.isExtra(t.Name): // from a configuration that says it otherwise
		case x == nil:
			return nil, &formats.Error{Path: template.Path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrMismatch, "the model lacks it, so this is no template for it")}
		case !slices.Equal(x.Shape, t.Shape):
			return nil, &formats.Error{Path: template.Path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrMismatch,
				"it has the shape %v, in the model %v, so this is no template for it", t.Shape, x.Shape)}
		}
		delete(byName, t.Name)
	}
	for _, t := range tensors {
		if byName[t.Name] != nil {
			return nil, &formats.Error{Path: template.Path, Err: formats.Reasonf(formats.ErrMismatch, "it has no tensor %q, so it is no template for the model", t.Name)}
		}
	}
	kv := formats.Metadata{{Key: "general.architecture", Value: a.Name}, {Key: "general.type", Value: "model"}}
	kv = append(kv, names...)
	kv = append(kv, formats.KeyValue{Key: fileTypeKey, Value: file}, formats.KeyValue{Key: quantizationVersionKey, Value: uint32(quantizationVersion)})
	for _, e := range template.Metadata {
		if !strings.HasPrefix(e.Key, "general.") && !strings.HasPrefix(e.Key, "split.") && !strings.HasPrefix(e.Key, "quantize.") {
			kv = append(kv, e)
		}
	}
	return kv, nil
}
