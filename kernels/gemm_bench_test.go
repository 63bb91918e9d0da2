package kernels

import (
	"fmt"
	"testing"
)

// BenchmarkGemm runs the shapes of extraction (a delta, or a panel of it, times a
// thin matrix) and of merging (64 rows of a weight, ranks 8 to 64), and a square.
// Compare with BenchmarkPeak.
func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct {
		form    string
		gemm    func([]float32, int, []float32, int, []float32, int, int, int, int)
		m, n, k int
	}{
		{"NN", Gemm, 4096, 96, 4096},
		{"NN", Gemm, 128, 96, 4096},
		{"TN", GemmTN, 4096, 96, 128},
		{"NT", GemmNT, 4096, 96, 4096},
		{"NN", Gemm, 1024, 1024, 1024},
		{"NN", Gemm, 64, 2048, 8},
		{"NN", Gemm, 64, 2048, 16},
		{"NN", Gemm, 64, 2048, 64},
		{"NN", Gemm, 64, 8192, 8},
		{"NN", Gemm, 64, 8192, 16},
		{"NN", Gemm, 64, 8192, 64},
	} {
		b.Run(fmt.Sprintf("%s/m=%d,n=%d,k=%d", s.form, s.m, s.n, s.k), func(b *testing.B) {
			x, y, z := make([]float32, s.m*s.k), make([]float32, s.k*s.n), make([]float32, s.m*s.n)
			fillNormal(newRand(1), x)
			fillNormal(newRand(2), y)
			lda, ldb := s.k, s.n
			switch s.form {
			case "TN":
				lda = s.m
			case "NT":
				ldb = s.k
			}
			eachImplB(b, func(b *testing.B) {
				if len(Implementations()) == 0 && s.m*s.n*s.k > 1<<28 {
					b.Skip("takes seconds")
				}
				for b.Loop() {
					s.gemm(z, s.n, x, lda, y, ldb, s.m, s.n, s.k)
				}
				reportGFlops(b, 2*s.m*s.n*s.k)
			})
		})
	}
}

// reportGFlops reports billions of floating-point operations a second, of which
// every iteration does n.
func reportGFlops(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
	b.ReportMetric(0, "ns/op")
}
