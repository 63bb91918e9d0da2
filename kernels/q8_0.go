package kernels

import "encoding/binary"

// Q8_0 stores 32 values in 34 bytes, 8.5 bits a value: a half float d and 32 levels
// of eight bits, x ≈ d·int8(level).
const (
	BlockLenQ8_0  = 32
	BlockSizeQ8_0 = 34
)

// QuantizeQ8_0 quantizes rows of src to Q8_0: d is the greatest magnitude over 127,
// and levels are x·(1/d) rounded to the nearest integer, ties away from zero, with
// the float32 d rather than the stored one. It makes no use of weights.
func QuantizeQ8_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ8_0", dst, src, rowLen, weights, BlockLenQ8_0, BlockSizeQ8_0)
	quantizeQ8_0(dst, src)
}

// DequantizeQ8_0 computes the values of Q8_0 blocks.
func DequantizeQ8_0(dst []float32, src []byte) {
	checkDequantize("DequantizeQ8_0", dst, src, BlockLenQ8_0, BlockSizeQ8_0)
	dequantizeQ8_0(dst, src)
}

func dequantizeQ8_0Generic(dst []float32, src []byte) {
	for len(dst) > 0 {
		var e expansion
		n := min(len(dst)/32, 8)
		for i := range n {
			b := src[BlockSizeQ8_0*i:][:BlockSizeQ8_0]
			e.setScale32(i, halfValue(binary.LittleEndian.Uint16(b)), 0)
			copy(e.levels[32*i:], b[2:])
		}
		e.expand(dst[:32*n])
		dst, src = dst[32*n:], src[BlockSizeQ8_0*n:]
	}
}

func quantizeQ8_0Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ8_0:], src[BlockLenQ8_0:] {
		x, b := src[:BlockLenQ8_0], dst[:BlockSizeQ8_0]
		_, magnitude := absMax(x)
		d := magnitude / 127
		inverse := reciprocal(d)
		binary.LittleEndian.PutUint16(b, halfBits(d))
		for i, v := range x {
			b[2+i] = uint8(round(v * inverse))
		}
	}
}

// reciprocal returns 1/x, or 0 for x = 0.
func reciprocal(x float32) float32 {
	if x == 0 {
		return 0
	}
	return 1 / x
}
