package kernels

import "testing"

// eachImplBenchmark runs f with the generic code and with every implementation that
// this CPU has, alone.
func eachImplBenchmark(b *testing.B, f func(b *testing.B)) {
	before := Implementations()
	defer Use(before...)
	Use()
	b.Run("generic", f)
	for _, name := range before {
		if err := Use(name); err != nil {
			b.Fatal(err)
		}
		b.Run(name, f)
	}
}

// benchmarkWeights is the shape of a matrix that fits in the second-level cache.
const benchmarkRows, benchmarkCols = 64, 2048

func BenchmarkQuantize(b *testing.B) {
	src := make([]float32, benchmarkRows*benchmarkCols)
	fillNormal(newRand(1), src)
	weights := benchmarkWeights()
	for _, bt := range blockTypes {
		dst := make([]byte, len(src)/bt.blockLen*bt.blockSize)
		for name, w := range map[string][]float32{bt.name: nil, bt.name + "-weighted": weights} {
			if w == nil && needsWeights[bt.name] {
				continue
			}
			b.Run(name, func(b *testing.B) {
				eachImplBenchmark(b, func(b *testing.B) {
					for b.Loop() {
						bt.quantize(dst, src, benchmarkCols, w)
					}
					reportWeights(b, len(src))
				})
			})
		}
	}
}

func benchmarkWeights() []float32 {
	weights := make([]float32, benchmarkCols)
	for i := range weights {
		weights[i] = 1 + float32(i%7)
	}
	return weights
}

func BenchmarkDequantize(b *testing.B) {
	src := make([]float32, benchmarkRows*benchmarkCols)
	fillNormal(newRand(1), src)
	for _, bt := range blockTypes {
		q := make([]byte, len(src)/bt.blockLen*bt.blockSize)
		bt.quantize(q, src, benchmarkCols, benchmarkWeights())
		b.Run(bt.name, func(b *testing.B) {
			eachImplBenchmark(b, func(b *testing.B) {
				for b.Loop() {
					bt.dequantize(src, q)
				}
				reportWeights(b, len(src))
			})
		})
	}
}

func reportWeights(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mweights/s")
}
