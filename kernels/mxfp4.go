package kernels

import (
	"math"
	"math/bits"
)

// MXFP4 stores 32 values in 17 bytes, 4.25 bits a value:
//
//	e   uint8      the scale is 2^(e−127)
//	qs  [16]uint8  4-bit floats (E2M1), value i low and value i+16 high in byte i
const (
	BlockLenMXFP4  = 32
	BlockSizeMXFP4 = 17
)

// QuantizeMXFP4 quantizes rows of src to MXFP4, with e = ⌊log2(max|x|)⌋ − 2 + 127, the scale for which the greatest value is among the
// greatest that E2M1 has. It ignores weights.
//
// Open Compute Project, Microscaling formats, version 1.0. The exponent wraps around for
// blocks that stay below 2^-125, and the logarithm is rounded before its floor is taken,
// as in the reference quantizer.
func QuantizeMXFP4(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeMXFP4", dst, src, rowLen, weights, BlockLenMXFP4, BlockSizeMXFP4)
	quantizeMXFP4(dst, src)
}

// mxfp4Exponent returns e for a block whose greatest magnitude is peak.
func mxfp4Exponent(peak float32) uint8 {
	b := math.Float32bits(peak)
	switch {
	case b == 0 || b >= f32Inf:
		return 0
	case b < 1<<23: // subnormal: as many bits more are zero, as the exponent is lower
		shift := 24 - bits.Len32(b)
		b <<= shift
		return uint8((b&^(1<<23)+mxfp4Near(-126-shift))>>23 - uint32(shift) + 1 - 2)
	}
	return uint8((b+mxfp4NearTable[b>>23])>>23 - 2)
}

// mxfp4Near returns how many ulps below 2^(exponent+1) the logarithms round to
// exponent+1.
//
// An ulp less is 2^-24·log2(e) in the logarithm of a number just below 2^k, and half the
// distance of float32 numbers there, just below k, is 2^(b-24), where 2^b ≤ |k| < 2^(b+1) if
// k is negative, 2^b ≤ k-1 < 2^(b+1) if it is positive.
func mxfp4Near(exponent int) uint32 {
	near := exponent // k-1
	if exponent < 0 {
		near = -(exponent + 1)
	}
	if near == 0 {
		return 0
	}
	b := bits.Len(uint(near)) - 1
	return uint32(float64(uint32(1)<<b) * math.Ln2)
}

// mxfp4NearTable is mxfp4Near by biased exponent.
var mxfp4NearTable = func() (table [256]uint32) {
	for i := range table {
		table[i] = mxfp4Near(i - 127)
	}
	return table
}()

// mxfp4HalfScale returns half the scale, 2^(e−128).
func mxfp4HalfScale(e uint8) float32 {
	if e < 2 { // subnormal
		return math.Float32frombits(0x200000 << e)
	}
	return math.Float32frombits((uint32(e) - 1) << 23)
}

// DequantizeMXFP4 decodes blocks of MXFP4, see [QuantizeMXFP4].
func DequantizeMXFP4(dst []float32, src []byte) {
	checkDequantize("DequantizeMXFP4", dst, src, BlockLenMXFP4, BlockSizeMXFP4)
	dequantizeMXFP4(dst, src)
}

func dequantizeMXFP4Generic(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[BlockLenMXFP4:], src[BlockSizeMXFP4:] {
		decodeE2M1(dst[:32], src[1:17], mxfp4HalfScale(src[0]))
	}
}

// decodeE2M1 is the inverse of encodeE2M1.
func decodeE2M1(dst []float32, src []byte, half float32) {
	value := e2m1Doubled
	for i := range value {
		value[i] *= half
	}
	low, high := dst[:len(src)], dst[len(src):2*len(src)]
	for i, b := range src {
		low[i] = value[b&15]
		high[i] = value[b>>4]
	}
}
