package kernels

import (
	"encoding/binary"
	"math"

	"github.com/x448/float16"
)

const (
	f64Sign = 0x8000000000000000
	f64Inf  = 0x7ff0000000000000
)

func decodeF64Generic(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(roundF32(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

func encodeF64Generic(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint64(dst[8*i:], widenF64(math.Float32bits(v)))
	}
}

func f64ToF32Generic(dst, src []byte) {
	for i := range len(dst) / 4 {
		binary.LittleEndian.PutUint32(dst[4*i:], roundF32(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

func f64ToF16Generic(dst, src []byte) {
	for i := range len(dst) / 2 {
		v := math.Float32frombits(oddF32(binary.LittleEndian.Uint64(src[8*i:])))
		binary.LittleEndian.PutUint16(dst[2*i:], float16.Fromfloat32(v).Bits())
	}
}

func f64ToBF16Generic(dst, src []byte) {
	for i := range len(dst) / 2 {
		binary.LittleEndian.PutUint16(dst[2*i:], roundBF16(oddF32(binary.LittleEndian.Uint64(src[8*i:]))))
	}
}

// roundF32 rounds a float64 to float32, to nearest even, both as bits. What Go's
// conversion makes of a NaN depends on the CPU, so it gets the finite numbers only.
func roundF32(u uint64) uint32 {
	if u&^f64Sign > f64Inf {
		return narrowNaN(u)
	}
	return math.Float32bits(float32(math.Float64frombits(u)))
}

// widenF64 widens a float32 to float64, both as bits.
func widenF64(u uint32) uint64 {
	if u&^f32Sign > f32Inf {
		return uint64(u&f32Sign)<<32 | f64Inf | 1<<51 | uint64(u&(f32Quiet-1))<<29
	}
	return math.Float64bits(float64(math.Float32frombits(u)))
}

// oddF32 rounds a float64 to float32 to odd, both as bits: an inexact result is
// whichever neighbor has its last bit set. Rounding that once more, to nearest in
// a format with at least two bits less, is the same as rounding the float64 there
// directly (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums:
// proved algorithms using rounding to odd", 2008).
func oddF32(u uint64) uint32 {
	if u&^f64Sign > f64Inf {
		return narrowNaN(u)
	}
	x := math.Float64frombits(u)
	f := float32(x)
	b := math.Float32bits(f)
	if float64(f) == x || b&1 == 1 {
		return b
	}
	// The other neighbor is one step towards x, counted in magnitudes.
	if math.Abs(x) > math.Abs(float64(f)) {
		return b + 1
	}
	return b - 1
}

// narrowNaN returns the quiet float32 NaN with the sign and the top 22 bits of
// the payload of a float64 NaN.
func narrowNaN(u uint64) uint32 {
	return uint32(u>>32)&f32Sign | f32NaN | uint32(u>>29)&(f32Quiet-1)
}
