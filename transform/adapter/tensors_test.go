package adapter

import (
	"bytes"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// parseObject parses a config.json.
func parseObject(text string) (*strictjson.Object, error) {
	return strictjson.ParseObject([]byte(text))
}

// floats returns a tensor of float32 that lies in a file in memory.
func floats(name string, shape []int, x []float32) *formats.Tensor {
	raw := make([]byte, 4*len(x))
	kernels.EncodeF32(raw, x)
	f := formats.NewFile(bytes.NewReader(raw), int64(len(raw)), "memory")
	return formats.NewExtent(formats.Info{Name: name, DType: formats.F32, Shape: shape}, f, 0)
}
