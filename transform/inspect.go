package transform

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform/shrink"
)

// A Summary says what a model is.
type Summary struct {
	Path         string          `json:"path"`
	Format       string          `json:"format"`
	Architecture string          `json:"architecture,omitempty"` // the class that config.json or GGUF's metadata names
	Layers       int64           `json:"layers,omitempty"`
	Adapter      *AdapterSummary `json:"adapter,omitempty"`
	Quantization string          `json:"quantization,omitempty"` // quant_method of config.json
	Scheme       string          `json:"scheme,omitempty"`       // of it, in words, if loratool can read it
	Weights      int64           `json:"weights,omitempty"`      // what the parameters are when they are decoded
	Files        []FileSummary   `json:"files"`                  // that hold weights
	Assets       []string        `json:"assets,omitempty"`       // names of the folder's other files
	Tensors      int             `json:"tensors"`
	Parameters   int64           `json:"parameters"`
	Bytes        int64           `json:"bytes"` // of tensor data
	DTypes       []DTypeSummary  `json:"dtypes"`
}

// A FileSummary is a file that holds weights.
type FileSummary struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// A DTypeSummary is what a number format has of a model.
type DTypeSummary struct {
	DType      formats.DType `json:"dtype"`
	Tensors    int           `json:"tensors"`
	Parameters int64         `json:"parameters"`
	Bytes      int64         `json:"bytes"`
}

// BitsPerWeight returns the storage that a number takes on average.
func (s *Summary) BitsPerWeight() float64 {
	if s.Parameters == 0 {
		return 0
	}
	return 8 * float64(s.Bytes) / float64(cmp.Or(s.Weights, s.Parameters))
}

// Inspect says what a model is. It reads headers and small files, and of tensors
// the scalars that hold an adapter's alpha.
func Inspect(ctx context.Context, m *formats.Model) (*Summary, error) {
	s := &Summary{Path: m.Path, Format: m.Format, Tensors: len(m.Tensors), Parameters: m.NumParameters(), Bytes: m.NumBytes()}
	for _, f := range m.Inputs {
		s.Files = append(s.Files, FileSummary{f.Path, f.Size})
	}
	for _, a := range m.Files {
		s.Assets = append(s.Assets, filepath.ToSlash(a.Name))
	}
	s.DTypes = dtypeSummaries(m)
	config, err := hf.Config(m)
	if err != nil {
		return nil, err
	}
	s.describe(config, m.Metadata)
	if s.Quantization, err = shrink.Method(m); err != nil {
		return nil, err
	}
	if s.Quantization != "" {
		// What can't be read can be looked at all the same, as it is stored.
		plain, source, err := shrink.Dequantize(m)
		if err != nil && !errors.Is(err, formats.ErrUnsupported) && !errors.Is(err, formats.ErrFormat) {
			return nil, err
		}
		if source != nil {
			s.Scheme, s.Weights = source.Scheme, plain.NumParameters()
		}
	}
	s.Adapter, err = summarizeAdapter(ctx, m)
	return s, err
}

// dtypeSummaries lists the number formats of a model, the one with most bytes
// first.
func dtypeSummaries(m *formats.Model) []DTypeSummary {
	list := []DTypeSummary{}
	for _, t := range m.Tensors {
		i := slices.IndexFunc(list, func(d DTypeSummary) bool { return d.DType == t.DType })
		if i < 0 {
			i, list = len(list), append(list, DTypeSummary{DType: t.DType})
		}
		list[i].Tensors++
		list[i].Parameters += int64(t.NumElements())
		list[i].Bytes += t.NumBytes()
	}
	slices.SortStableFunc(list, func(a, b DTypeSummary) int { return -cmp.Compare(a.Bytes, b.Bytes) })
	return list
}

// describe takes from config.json, or from GGUF's metadata, what kind of model
// it is.
func (s *Summary) describe(config *strictjson.Object, metadata formats.Metadata) {
	if names := config.Array("architectures"); len(names) > 0 {
		s.Architecture, _ = names[0].(string)
	}
	s.Architecture = cmp.Or(s.Architecture, config.String("model_type"))
	for _, key := range []string{"num_hidden_layers", "n_layer", "num_layers"} {
		if n, ok := config.Int(key); ok && s.Layers == 0 {
			s.Layers = n
		}
	}
	if arch, ok := metadata.Get("general.architecture").(string); ok {
		s.Architecture = arch
		if n, ok := metadata.Get(arch + ".block_count").(uint32); ok {
			s.Layers = int64(n)
		}
	}
}
