package adapter

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loratool/loratool/formats"
)

// TestPrincipalPartOfLargeMatrices compares the iteration with the dense method,
// on a matrix whose singular values fall slowly.
func TestPrincipalPartOfLargeMatrices(t *testing.T) {
	for _, shape := range [][2]int{{520, 700}, {1500, 515}, {515, 2600}} {
		rows, cols, rank := shape[0], shape[1], 8
		rng := rand.New(rand.NewPCG(1, uint64(rows)))
		x := make([]float32, rows*cols)
		for i := range x {
			x[i] = float32(0.02 * rng.NormFloat64())
		}
		for k := range 24 { // on top of the noise
			u, v := make([]float64, rows), make([]float64, cols)
			for i := range u {
				u[i] = rng.NormFloat64()
			}
			for j := range v {
				v[j] = 0.02 * rng.NormFloat64() * math.Pow(0.9, float64(k))
			}
			for i := range u {
				for j := range v {
					x[i*cols+j] += float32(u[i] * v[j])
				}
			}
		}
		info := formats.Info{Name: "w", DType: formats.F32, Shape: []int{rows, cols}}
		o := &residual{kind: "pissa", base: floats(info.Name, info.Shape, x), rank: rank}
		if err := o.principalPart(t.Context(), rows, cols); err != nil {
			t.Fatal(err)
		}
		w, err := o.readBase(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l, r, err := singularPart(w, rank, false)
		if err != nil {
			t.Fatal(err)
		}
		var worst float64
		for i := 0; i < rows; i += 7 {
			for j := 0; j < cols; j += 5 {
				var got, want float64
				for k := range rank {
					got += float64(o.left[i*rank+k]) * float64(o.right[k*cols+j])
					want += l.At(i, k) * r.At(k, j)
				}
				worst = max(worst, math.Abs(got-want))
			}
		}
		if worst > 2e-6 {
			t.Errorf("%v: the parts differ by %g", shape, worst)
		}
	}
}
