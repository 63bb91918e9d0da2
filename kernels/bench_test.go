package kernels

import (
	"fmt"
	"testing"
)

// benchLengths are a row in the first-level cache, and more than the caches hold.
var benchLengths = []int{4096, 16 << 20}

// eachImplB is eachImpl for benchmarks.
func eachImplB(b *testing.B, f func(b *testing.B)) {
	before := Implementations()
	defer Use(before...)
	for _, name := range append([]string{""}, before...) {
		if name == "" {
			Use()
			b.Run("generic", f)
			continue
		}
		Use(name)
		b.Run(name, f)
	}
}

func BenchmarkConvert(b *testing.B) {
	for _, c := range []struct {
		name   string
		size   int
		decode func([]float32, []byte)
		encode func([]byte, []float32)
	}{
		{"F32", 4, DecodeF32, EncodeF32}, {"BF16", 2, DecodeBF16, EncodeBF16},
		{"F16", 2, DecodeF16, EncodeF16}, {"F8E4M3", 1, DecodeF8E4M3, EncodeF8E4M3},
		{"F64", 8, DecodeF64, EncodeF64},
	} {
		for _, n := range benchLengths {
			x, codes := make([]float32, n), make([]byte, n*c.size)
			fillNormal(newRand(1), x)
			c.encode(codes, x)
			b.Run(fmt.Sprintf("Decode%s/%d", c.name, n), func(b *testing.B) {
				eachImplB(b, func(b *testing.B) {
					b.SetBytes(int64(n * (4 + c.size)))
					for b.Loop() {
						c.decode(x, codes)
					}
				})
			})
			b.Run(fmt.Sprintf("Encode%s/%d", c.name, n), func(b *testing.B) {
				eachImplB(b, func(b *testing.B) {
					b.SetBytes(int64(n * (4 + c.size)))
					for b.Loop() {
						c.encode(codes, x)
					}
				})
			})
		}
	}
}

func BenchmarkF64To16(b *testing.B) {
	const n = 4096
	src, dst := make([]byte, 8*n), make([]byte, 2*n)
	x := make([]float32, n)
	fillNormal(newRand(1), x)
	EncodeF64(src, x)
	for _, c := range []struct {
		name    string
		convert func(dst, src []byte)
	}{{"F64ToF16", F64ToF16}, {"F64ToBF16", F64ToBF16}} {
		b.Run(c.name, func(b *testing.B) {
			eachImplB(b, func(b *testing.B) {
				b.SetBytes(10 * n)
				for b.Loop() {
					c.convert(dst, src)
				}
			})
		})
	}
}

func BenchmarkVector(b *testing.B) {
	for _, n := range benchLengths {
		x, y := make([]float32, n), make([]float32, n)
		fillNormal(newRand(1), x)
		fillNormal(newRand(2), y)
		for _, k := range []struct {
			name  string
			bytes int // of memory that is read or written, an element
			run   func()
		}{
			{"AddScaled", 12, func() { AddScaled(y, 1e-9, x) }},
			{"Scale", 8, func() { Scale(y, 1) }},
			{"Sub", 12, func() { Sub(y, x, y) }},
			{"MaxAbsDiff", 8, func() { MaxAbsDiff(x, y) }},
			{"Dot", 8, func() { Dot(x, y) }},
			{"SumSquares", 4, func() { SumSquares(x) }},
			{"FirstNonFinite", 4, func() { FirstNonFinite(x) }},
			{"CountF16", 4, func() { CountF16(x) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) {
				eachImplB(b, func(b *testing.B) {
					b.SetBytes(int64(n * k.bytes))
					for b.Loop() {
						k.run()
					}
				})
			})
		}
	}
}
