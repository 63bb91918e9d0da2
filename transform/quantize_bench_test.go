package transform

import (
	"context"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/recipe"
)

// BenchmarkQuantize is what a worker does with a matrix in memory: read, check,
// quantize, check.
func BenchmarkQuantize(b *testing.B) {
	const rows, cols = 512, 4096
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(i%1009)/1009 - float32(i%997)/997
	}
	source := f32Tensor("blk.0.x.weight", x, rows, cols)
	for _, name := range []string{"F16", "Q8_0", "Q4_0", "Q6_K", "Q4_K_S"} {
		b.Run(name, func(b *testing.B) {
			f, _ := recipe.ParseFType(name)
			m, _, err := Quantize(&formats.Model{Tensors: []*formats.Tensor{source}}, QuantizeOptions{Recipe: recipe.Options{FType: f, Pure: true}})
			if err != nil {
				b.Fatal(err)
			}
			q := m.Tensors[0]
			dst := make([]byte, q.NumBytes())
			b.SetBytes(int64(len(x)) * 4)
			for b.Loop() {
				for lo := 0; lo < rows; lo += 64 {
					if err := q.ReadRows(context.Background(), dst[int64(lo)*q.RowBytes():int64(lo+64)*q.RowBytes()], lo, lo+64); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mweights/s")
		})
	}
}
