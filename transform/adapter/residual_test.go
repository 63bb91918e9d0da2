package adapter

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/loratool/loratool/formats"
)

// TestPrincipalPart compares the iteration with a full decomposition,
// on a matrix whose singular values fall slowly.
func TestPrincipalPart(t *testing.T) {
	for _, shape := range [][2]int{{40, 24}, {520, 700}, {1500, 515}, {515, 2600}} {
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
		left, right, err := o.part(t.Context(), rows, cols)
		if err != nil {
			t.Fatal(err)
		}
		w := mat.NewDense(rows, cols, nil)
		for i, v := range x {
			w.RawMatrix().Data[i] = float64(v)
		}
		var svd mat.SVD
		if !svd.Factorize(w, mat.SVDThin) {
			t.Fatal("no singular values")
		}
		var u, v mat.Dense
		svd.UTo(&u)
		svd.VTo(&v)
		sigma := svd.Values(nil)
		var worst float64
		for i := 0; i < rows; i += 7 {
			for j := 0; j < cols; j += 5 {
				var got, want float64
				for k := range rank {
					got += float64(left[i*rank+k]) * float64(right[k*cols+j])
					want += u.At(i, k) * sigma[k] * v.At(j, k)
				}
				worst = max(worst, math.Abs(got-want))
			}
		}
		if worst > 2e-6 {
			t.Errorf("%v: the parts differ by %g", shape, worst)
		}
	}
}
