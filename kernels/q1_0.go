package kernels

import "encoding/binary"

// Q1_0 stores 128 values in 18 bytes, 1.125 bits a value:
//
//	d   float16
//	qs  [16]uint8  a bit per value, from the lowest up, set if x ≥ 0
const (
	BlockLenQ1_0  = 128
	BlockSizeQ1_0 = 18
)

// QuantizeQ1_0 quantizes rows of src to Q1_0, with d = mean |x|, summed in order. It ignores weights.
func QuantizeQ1_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ1_0", dst, src, rowLen, weights, BlockLenQ1_0, BlockSizeQ1_0)
	quantizeQ1_0(dst, src)
}

// DequantizeQ1_0 decodes blocks of Q1_0, see [QuantizeQ1_0]: d where the bit is set,
// else −d.
func DequantizeQ1_0(dst []float32, src []byte) {
	checkDequantize("DequantizeQ1_0", dst, src, BlockLenQ1_0, BlockSizeQ1_0)
	for ; len(dst) > 0; dst, src = dst[BlockLenQ1_0:], src[BlockSizeQ1_0:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		value := [2]float32{-d, d}
		for i, bits := range src[2:18] {
			y := dst[8*i : 8*i+8]
			for j := range y {
				y[j] = value[bits>>j&1]
			}
		}
	}
}
