package kernels

import "math"

// NVFP4 stores 64 values in 36 bytes, 4.5 bits a value:
//
//	d   [4]uint8   a scale per 16 values, an unsigned 8-bit float (E4M3, bias 7)
//	qs  [32]uint8  4-bit floats (E2M1), for 16 values each: value i low and value i+8
//	               high in byte i
const (
	BlockLenNVFP4  = 64
	BlockSizeNVFP4 = 36
)

// QuantizeNVFP4 quantizes rows of src to NVFP4, with d = max|x|/6, rounded. Files often have a float32 scale for the whole tensor
// besides; that is the caller's. It ignores weights.
func QuantizeNVFP4(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeNVFP4", dst, src, rowLen, weights, BlockLenNVFP4, BlockSizeNVFP4)
	quantizeNVFP4(dst, src)
}

// encodeUE4M3 rounds to an unsigned 8-bit float with 4 exponent bits and 3 mantissa bits,
// bias 7, halves up. As in the reference quantizer, what rounds to 256 or more becomes 448,
// and subnormal numbers don't round up to the least normal one. x must not be NaN.
func encodeUE4M3(x float32) uint8 {
	const greatest = 0x7e
	switch {
	case x <= 0:
		return 0
	case x >= 0x1p8:
		return greatest
	case x < 0x1p-6: // subnormal, in units of 2^-9
		return uint8(min(int32(float32(x*512)+0.5), 7))
	}
	code := (math.Float32bits(x)+1<<19)>>20 - (127-7)<<3
	if code >= 15<<3 {
		return greatest
	}
	return uint8(code)
}

// ue4m3Half are half the values of the scales. The two codes that are NaN in F8_E4M3
// mean 0 and a number here, and the top bit is ignored otherwise.
var ue4m3Half = func() (values [256]float32) {
	for code := range values {
		if code == 0 || code == 0x7f {
			continue
		}
		exponent, mantissa := code>>3&15, float64(code&7)
		if exponent == 0 {
			values[code] = float32(math.Ldexp(mantissa, -9-1))
		} else {
			values[code] = float32(math.Ldexp(1+mantissa/8, exponent-7-1))
		}
	}
	return values
}()

// DequantizeNVFP4 decodes blocks of NVFP4, see [QuantizeNVFP4], without the tensor's
// scale.
func DequantizeNVFP4(dst []float32, src []byte) {
	checkDequantize("DequantizeNVFP4", dst, src, BlockLenNVFP4, BlockSizeNVFP4)
	for ; len(dst) > 0; dst, src = dst[BlockLenNVFP4:], src[BlockSizeNVFP4:] {
		for b := range 4 {
			decodeE2M1(dst[16*b:16*b+16], src[4+8*b:12+8*b], ue4m3Half[src[b]])
		}
	}
}
