package kernels

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

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

// BenchmarkDequantizeMemory reports how fast blocks from memory become values in memory,
// relative to a copy of as many values: the ratio of the medians of rounds taken by turns.
func BenchmarkDequantizeMemory(b *testing.B) {
	const n = 32 << 20 // 128 MB of values, more than caches hold
	x, dst := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(i) // pages of their own, which zeros don't have
	}
	part := make([]float32, benchmarkRows*benchmarkCols)
	fillNormal(newRand(1), part)
	for _, bt := range blockTypes {
		blocks := make([]byte, len(part)/bt.blockLen*bt.blockSize)
		bt.quantize(blocks, part, benchmarkCols, benchmarkWeights())
		src := bytes.Repeat(blocks, n/len(part))
		b.Run(bt.name, func(b *testing.B) {
			eachImplBenchmark(b, func(b *testing.B) {
				var ours, copies []time.Duration
				for range b.N {
					start := time.Now()
					bt.dequantize(dst, src)
					half := time.Now()
					copy(dst, x)
					ours, copies = append(ours, half.Sub(start)), append(copies, time.Since(half))
				}
				b.ReportMetric(n/median(ours).Seconds()/1e6, "Mweights/s")
				b.ReportMetric(float64(median(copies))/float64(median(ours)), "times-copy")
				b.ReportMetric(0, "ns/op")
			})
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func reportWeights(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mweights/s")
}
