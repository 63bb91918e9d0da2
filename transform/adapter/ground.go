package adapter

import "github.com/loratool/loratool/formats"

// Ground returns what the adapters change: the values that the target begins
// with, in the base's number format. An adapter that was trained in float32 may
// have its copy of an embedding so, but the base that it is merged into does not.
func (t *Target) Ground() *formats.Tensor {
	if formats.Encoder(t.DType) == nil {
		return t.Source
	}
	return formats.Encoded(t.Source, t.DType)
}
