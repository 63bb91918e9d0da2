package shrink_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform/shrink"
)

// FuzzDequantize changes bytes of quantized checkpoints, of their headers and configs
// too: whatever comes of it is an error or numbers, and never a panic.
func FuzzDequantize(f *testing.F) {
	cases, _ := filepath.Glob(goldens + "/read/*")
	for i := range cases {
		f.Add(uint8(i), uint32(100), uint8(1), uint32(50), uint8(0))
		f.Add(uint8(i), uint32(3000), uint8(255), uint32(900), uint8(7))
	}
	weights, configs := make([][]byte, len(cases)), make([][]byte, len(cases))
	for i, dir := range cases {
		weights[i], configs[i] = read(f, dir+"/model.safetensors"), read(f, dir+"/config.json")
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, flip uint8, configAt uint32, configFlip uint8) {
		i := int(which) % len(cases)
		data, config := bytes.Clone(weights[i]), bytes.Clone(configs[i])
		data[int(at)%len(data)] ^= flip
		config[int(configAt)%len(config)] ^= configFlip
		if n := binary.LittleEndian.Uint64(data); n > uint64(len(data)) || !json.Valid(config) {
			return
		}
		m, err := formats.OpenReader(formats.NewFile(bytes.NewReader(data), int64(len(data)), "model.safetensors"))
		if err != nil {
			return
		}
		m.Files = hf.WithAsset(nil, "config.json", config)
		plain, _, err := shrink.Dequantize(m)
		if err != nil {
			return
		}
		for _, x := range plain.Tensors {
			if x.DType != formats.F32 || x.NumElements() > 1<<20 {
				continue
			}
			y := make([]float32, x.NumElements())
			_ = x.ReadFloats(context.Background(), y, 0, x.NumRows())
		}
	})
}

func read(f *testing.F, path string) []byte {
	f.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return data
}
