package shrink_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/shrink"
)

// BenchmarkQuantize computes all tensors of a matrix of bf16 that lies in a file, as a
// writer does, without writing them.
func BenchmarkQuantize(b *testing.B) {
	const rows, cols = 4096, 2048
	dir := filepath.Join(b.TempDir(), "model")
	benchModel(b, dir, rows, cols)
	m, err := hf.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	type benchCase struct {
		name   string
		typ    shrink.Type
		search bool
	}
	var cases []benchCase
	for _, t := range shrink.Types {
		cases = append(cases, benchCase{string(t.Type), t.Type, false})
		if t.Search {
			cases = append(cases, benchCase{string(t.Type) + "/search", t.Type, true})
		}
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(2 * rows * cols)
			for b.Loop() {
				small, _, err := shrink.Quantize(m, c.typ, shrink.Options{Search: c.search})
				if err != nil {
					b.Fatal(err)
				}
				for _, t := range small.Tensors {
					j, index := t.Joint()
					if j == nil || index > 0 {
						continue
					}
					step := int(max(1, 512<<10/j.NumBytes(0, 1)))
					for lo := 0; lo < j.NumPieces; lo += step {
						hi := min(lo+step, j.NumPieces)
						buf := formats.BorrowBytes(int(j.NumBytes(lo, hi)))
						if _, err := j.Read(context.Background(), buf, lo, hi); err != nil {
							b.Fatal(err)
						}
						formats.ReturnBytes(buf)
					}
				}
			}
			b.ReportMetric(rows*cols*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mweights/s")
		})
	}
}

// normals are random numbers.
type normals struct{ cols int }

func (n *normals) Scratch(rows int) int64 { return 4 * int64(rows*n.cols) }

func (n *normals) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	r := rand.New(rand.NewPCG(uint64(lo), 1))
	x := make([]float32, (hi-lo)*n.cols)
	for i := range x {
		x[i] = float32(r.NormFloat64() * 0.02)
	}
	formats.Encoder(formats.BF16)(dst, x)
	return nil
}

// benchModel writes a model of one linear layer.
func benchModel(b *testing.B, dir string, rows, cols int) {
	t := &formats.Tensor{Info: formats.Info{Name: "model.layers.0.mlp.up_proj.weight", DType: formats.BF16, Shape: []int{rows, cols}}, Rows: &normals{cols}}
	config := &strictjson.Object{}
	config.Set("model_type", "llama")
	m := &formats.Model{Format: "safetensors", Tensors: []*formats.Tensor{t}}
	m.Files = hf.WithConfig(nil, config)
	l, err := hf.Layout(m, hf.LayoutOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if err := transform.Write(b.Context(), l, dir, transform.Options{}); err != nil {
		b.Fatal(err)
	}
}
