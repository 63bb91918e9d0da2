package hf

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// Config returns the model's config.json, or nil if it has none. It is the
// caller's own to change.
func Config(m *formats.Model) (*strictjson.Object, error) { return ReadObject(m, "config.json") }

// ReadObject returns the JSON object in the asset of the given name, or nil if
// the model has no such asset.
func ReadObject(m *formats.Model, name string) (*strictjson.Object, error) {
	a := m.Asset(name)
	if a == nil {
		return nil, nil
	}
	if a.Data == nil {
		return readObject(a.Path)
	}
	return parseObject(name, a.Data)
}

// WithAsset returns files with one replaced, or added, by the given contents.
func WithAsset(files []formats.Asset, name string, data []byte) []formats.Asset {
	out := make([]formats.Asset, 0, len(files)+1)
	found := false
	for _, a := range files {
		if a.Name == name {
			a.Data, found = data, true
		}
		out = append(out, a)
	}
	if !found {
		out = append(out, formats.Asset{Name: name, Data: data})
	}
	return out
}

// WithConfig returns files in which config.json is the given object, laid out as
// transformers does.
func WithConfig(files []formats.Asset, config *strictjson.Object) []formats.Asset {
	return WithAsset(files, "config.json", strictjson.Format(config))
}

// SetDType brings the number format that a config names up to date, under the
// key that it uses: "dtype", or "torch_dtype" before transformers 5. Nested
// configs (text_config and the like) follow where they name one.
func SetDType(config *strictjson.Object, d formats.DType) {
	name, ok := map[formats.DType]string{formats.F32: "float32", formats.F16: "float16", formats.BF16: "bfloat16", formats.F64: "float64"}[d]
	if !ok {
		return
	}
	for i, m := range config.Members {
		switch v := m.Value.(type) {
		case string:
			if m.Key == "dtype" || m.Key == "torch_dtype" {
				config.Members[i].Value = name
			}
		case *strictjson.Object:
			if m.Key != "quantization_config" {
				SetDType(v, d)
			}
		}
	}
}
