package kernels

import "math"

// Rules of the conversions, which hold for every Decode and Encode function:
//
//   - src and dst bytes are elements as tensor files store them: little-endian,
//     one after another, at any alignment. The length in bytes must be the
//     number of floats times the size of an element; anything else panics.
//   - Values are rounded once, to nearest, ties to even. Subnormal numbers are
//     neither flushed nor rounded earlier than others.
//   - Overflow gives infinity where the format has one, and the greatest finite
//     number of the same sign where it has none (F8_E4M3, the FNUZ formats).
//   - NaN stays NaN. Where a NaN has a payload, the result is quiet and keeps the
//     sign and the payload's top bits, as the conversion instructions of amd64 and
//     arm64 do. Conversions that only move bits (F32, BF16 to float32) keep all.
//   - dst and src must not overlap.

func checkBytes(kernel string, floats, size, bytes int) {
	if bytes != floats*size {
		panic("kernels: " + kernel + ": number of bytes does not match the number of floats")
	}
}

func checkSame(kernel string, x, y int) {
	if x != y {
		panic("kernels: " + kernel + " of slices of different lengths")
	}
}

const (
	f32Sign  = 0x80000000
	f32Inf   = 0x7f800000 // bits above it, the sign aside, are NaN
	f32Quiet = 0x00400000 // set in a quiet NaN
	f32NaN   = f32Inf | f32Quiet
)

// canonical returns x, or the one quiet NaN that arithmetic kernels return for
// every NaN: which operand's payload an instruction passes on, and the sign of a
// NaN made from infinities, differ between CPUs.
func canonical(x float32) float32 {
	if x != x {
		return math.Float32frombits(f32NaN)
	}
	return x
}
