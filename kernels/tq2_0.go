package kernels

import "encoding/binary"

// TQ2_0 stores 256 values in 66 bytes, 2.0625 bits a value:
//
//	qs  [64]uint8  4 values in a byte, from the lowest bits up: 32 bytes for values 0
//	               to 127, byte i of them for i, i+32, i+64 and i+96, then 32 bytes
//	               for values 128 to 255
//	d   float16
const (
	BlockLenTQ2_0  = superBlock
	BlockSizeTQ2_0 = 66
)

// QuantizeTQ2_0 quantizes rows of src to TQ2_0, with d = max|x| and codes t+1, t = x/d rounded to -1, 0 or 1, halves away from zero.
// It ignores weights.
func QuantizeTQ2_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeTQ2_0", dst, src, rowLen, weights, BlockLenTQ2_0, BlockSizeTQ2_0)
	for ; len(src) > 0; dst, src = dst[BlockSizeTQ2_0:], src[BlockLenTQ2_0:] {
		d, inverse := ternaryScale(src[:superBlock])
		for half := range 2 {
			x := src[128*half : 128*half+128]
			for i := range 32 {
				dst[32*half+i] = trit(x[i], inverse) | trit(x[i+32], inverse)<<2 |
					trit(x[i+64], inverse)<<4 | trit(x[i+96], inverse)<<6
			}
		}
		binary.LittleEndian.PutUint16(dst[64:], halfBits(d))
	}
}

// DequantizeTQ2_0 decodes blocks of TQ2_0, see [QuantizeTQ2_0]. Code 3, which the
// quantizer never writes, is 2·d.
func DequantizeTQ2_0(dst []float32, src []byte) {
	checkDequantize("DequantizeTQ2_0", dst, src, BlockLenTQ2_0, BlockSizeTQ2_0)
	for ; len(dst) > 0; dst, src = dst[BlockLenTQ2_0:], src[BlockSizeTQ2_0:] {
		d := halfValue(binary.LittleEndian.Uint16(src[64:]))
		value := [4]float32{-1 * d, 0 * d, 1 * d, 2 * d}
		for half := range 2 {
			y := dst[128*half : 128*half+128]
			for i, q := range src[32*half : 32*half+32] {
				y[i] = value[q&3]
				y[i+32] = value[q>>2&3]
				y[i+64] = value[q>>4&3]
				y[i+96] = value[q>>6]
			}
		}
	}
}
