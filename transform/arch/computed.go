package arch

import (
	"bytes"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// computedVector returns an F32 tensor of given numbers.
func computedVector(name string, x []float32) *formats.Tensor {
	data := make([]byte, 4*len(x))
	kernels.EncodeF32(data, x)
	return formats.NewExtent(formats.Info{Name: name, DType: formats.F32, Shape: []int{len(x)}},
		formats.NewFile(bytes.NewReader(data), int64(len(data)), "config.json"), 0)
}

// floats returns the numbers of a JSON array.
func floats(a strictjson.Array) []float32 {
	out := make([]float32, 0, len(a))
	for _, v := range a {
		if n, ok := v.(strictjson.Number); ok {
			out = append(out, float32(n.Float()))
		}
	}
	return out
}
