package shrink_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/shrink"
)

// gaussian returns a model of one matrix of normal numbers.
func gaussian(rows, cols int) *formats.Model {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(r.NormFloat64() * 0.02)
	}
	b := make([]byte, 4*len(x))
	kernels.EncodeF32(b, x)
	m := &formats.Model{Path: "gaussian", Format: "safetensors"}
	info := formats.Info{Name: "model.layers.0.mlp.up_proj.weight", DType: formats.F32, Shape: []int{rows, cols}}
	m.Tensors = []*formats.Tensor{{Info: info, Rows: &memory{b, 4 * cols}}}
	m.Files = hf.WithAsset(nil, "config.json", []byte(`{"model_type": "llama", "dtype": "bfloat16"}`))
	return m
}

type memory struct {
	data     []byte
	rowBytes int
}

func (m *memory) Scratch(int) int64 { return 0 }

func (m *memory) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	copy(dst, m.data[lo*m.rowBytes:hi*m.rowBytes])
	return nil
}

// TestSearch says by how much the search lowers the error on Gaussian weights.
func TestSearch(t *testing.T) {
	m := gaussian(64, 1024)
	failure := func(typ shrink.Type, search bool) float64 {
		q, _, err := shrink.Quantize(m, typ, shrink.Options{Search: search})
		if err != nil {
			t.Fatal(err)
		}
		plain, _, err := shrink.Dequantize(q)
		if err != nil {
			t.Fatal(err)
		}
		return relativeError(numbers(t, plain.Tensors[0], 16), numbers(t, m.Tensors[0], 16))
	}
	for typ, least := range map[shrink.Type]float64{shrink.W4A16: 0.08, shrink.NVFP4: 0.05, shrink.MXFP4: 0.005} {
		before, after := failure(typ, false), failure(typ, true)
		if gain := 1 - after/before; !(gain >= least) {
			t.Errorf("%s: the search lowers the error from %.4f to %.4f, by %.1f %%, less than %.1f %%", typ, before, after, 100*gain, 100*least)
		}
	}
}
