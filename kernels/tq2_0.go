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
	var levels [superBlock]uint8
	for ; len(src) > 0; dst, src = dst[BlockSizeTQ2_0:], src[BlockLenTQ2_0:] {
		d := setTrits(&levels, src[:BlockLenTQ2_0])
		packPairs(dst[:64], levels[:], 0)
		binary.LittleEndian.PutUint16(dst[64:], halfBits(d))
	}
}

// DequantizeTQ2_0 decodes blocks of TQ2_0, see [QuantizeTQ2_0]. Code 3, which the
// quantizer never writes, is 2·d.
func DequantizeTQ2_0(dst []float32, src []byte) {
	checkDequantize("DequantizeTQ2_0", dst, src, BlockLenTQ2_0, BlockSizeTQ2_0)
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenTQ2_0:], src[BlockSizeTQ2_0:] {
		d := halfValue(binary.LittleEndian.Uint16(src[64:]))
		for half := range 2 {
			levels := e.levels[128*half : 128*half+128]
			for i := 0; i < 32; i += 8 {
				v := binary.LittleEndian.Uint64(src[32*half+i:])
				for j := range 4 {
					putTernary(levels[32*j+i:], v>>(2*j)&eachByte(3))
				}
			}
		}
		for b := range e.scale {
			e.scale[b] = d
		}
		e.expand(dst[:BlockLenTQ2_0])
	}
}
