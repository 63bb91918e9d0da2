package kernels

import (
	"encoding/binary"
	"math"
)

// Q8_1 and Q8_K are what llama.cpp quantizes activations to. Files hold them only
// by accident, so that they can be read here but not written.
//
// Q8_1 stores 32 values in 36 bytes: half floats d and s (the sum of the values),
// and 32 levels of eight bits, x ≈ d·int8(level). Q8_K stores 256 values in 292
// bytes: a float32 d, 256 levels of eight bits, and 16 sums of levels.
const (
	BlockLenQ8_1  = 32
	BlockSizeQ8_1 = 36
	BlockLenQ8_K  = superBlock
	BlockSizeQ8_K = 292
)

// DequantizeQ8_1 computes the values of Q8_1 blocks.
func DequantizeQ8_1(dst []float32, src []byte) {
	checkDequantize("DequantizeQ8_1", dst, src, BlockLenQ8_1, BlockSizeQ8_1)
	for ; len(src) > 0; dst, src = dst[BlockLenQ8_1:], src[BlockSizeQ8_1:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		for i, l := range src[4:BlockSizeQ8_1] {
			dst[i] = d * float32(int8(l))
		}
	}
}

// DequantizeQ8_K computes the values of Q8_K blocks.
func DequantizeQ8_K(dst []float32, src []byte) {
	checkDequantize("DequantizeQ8_K", dst, src, BlockLenQ8_K, BlockSizeQ8_K)
	for ; len(src) > 0; dst, src = dst[BlockLenQ8_K:], src[BlockSizeQ8_K:] {
		d := math.Float32frombits(binary.LittleEndian.Uint32(src))
		for i, l := range src[4 : 4+superBlock] {
			dst[i] = d * float32(int8(l))
		}
	}
}
