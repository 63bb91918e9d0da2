package kernels

import "encoding/binary"

// Q2_0 stores 64 values in 18 bytes, 2.25 bits a value:
//
//	d   float16
//	qs  [16]uint8  4 values in a byte, from the lowest bits up
const (
	BlockLenQ2_0  = 64
	BlockSizeQ2_0 = 18
)

// QuantizeQ2_0 quantizes rows of src to Q2_0, with d = max|x| and codes t+1, t = x/d rounded to an integer, halves away from zero.
// The format has t = -1, 0, 1 and 2, but with this d there is no 2. It ignores weights.
func QuantizeQ2_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ2_0", dst, src, rowLen, weights, BlockLenQ2_0, BlockSizeQ2_0)
	var levels [BlockLenQ2_0]uint8
	for ; len(src) > 0; dst, src = dst[BlockSizeQ2_0:], src[BlockLenQ2_0:] {
		x := src[:BlockLenQ2_0]
		d := peakOf(x)
		var inverse float32
		if d > 0 {
			inverse = 1 / d
		}
		twoBits(levels[:], x, inverse)
		for i := 0; i < len(levels); i += 8 {
			v := binary.LittleEndian.Uint64(levels[i:])
			v = (v | v>>6) & 0x000f000f000f000f // two values in every other byte
			v |= v >> 12
			dst[2+i/4], dst[3+i/4] = uint8(v), uint8(v>>32)
		}
		binary.LittleEndian.PutUint16(dst, halfBits(d))
	}
}

// DequantizeQ2_0 decodes blocks of Q2_0, see [QuantizeQ2_0].
func DequantizeQ2_0(dst []float32, src []byte) {
	checkDequantize("DequantizeQ2_0", dst, src, BlockLenQ2_0, BlockSizeQ2_0)
	for ; len(dst) > 0; dst, src = dst[BlockLenQ2_0:], src[BlockSizeQ2_0:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		value := [4]float32{-1 * d, 0 * d, 1 * d, 2 * d}
		for i, q := range src[2:18] {
			y := dst[4*i : 4*i+4]
			y[0], y[1], y[2], y[3] = value[q&3], value[q>>2&3], value[q>>4&3], value[q>>6]
		}
	}
}
