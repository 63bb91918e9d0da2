// Command convert generates the conversions between float32 and other formats.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	decodeBF16AVX2()
	encodeBF16AVX2()
	decodeF16AVX2()
	encodeF16AVX2()
	encodeF64AVX2()
	f64ToF32AVX2()
	f64ToF16AVX2()
	f64ToBF16AVX2()
	decodeF8E4M3AVX2()
	encodeF8E4M3AVX2()

	decodeBF16AVX512()
	encodeBF16AVX512()
	decodeF16AVX512()
	encodeF16AVX512()
	encodeF64AVX512()
	f64ToF32AVX512()
	f64ToF16AVX512()
	f64ToBF16AVX512()
	decodeF8E4M3AVX512()
	encodeF8E4M3AVX512()
	Generate()
}

const (
	f32Abs   = 0x7fffffff
	f32Inf   = 0x7f800000
	f32Quiet = 0x00400000
	f32NaN   = 0x7fc00000
)

// The signatures of decoders, encoders, and conversions of bytes.
const (
	decode  = "func(dst []float32, src []byte)"
	encode  = "func(dst []byte, src []float32)"
	convert = "func(dst, src []byte)"
)
