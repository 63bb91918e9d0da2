package kernels

import "encoding/binary"

// Q5_K stores 256 values in 176 bytes, 5.5 bits a value. It is Q4_K with levels of
// five bits: the fifth ones lie in 32 bytes before the others, bit i of byte j
// belonging to element j of sub-block i.
const (
	BlockLenQ5_K  = superBlock
	BlockSizeQ5_K = 176
)

var (
	q5KSearch         = affineSearch{top: 31, start: -0.5, step: 0.1, steps: 15}
	q5KWeightedSearch = affineSearch{top: 31, start: -0.9, step: 0.05, steps: 36}
)

// QuantizeQ5_K quantizes rows of src to Q5_K, by the same steps as QuantizeQ4_K.
func QuantizeQ5_K(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ5_K", dst, src, rowLen, weights, BlockLenQ5_K, BlockSizeQ5_K)
	quantizeQ5_K(dst, src, rowLen, weights)
}

// DequantizeQ5_K computes the values of Q5_K blocks, rounding as DequantizeQ4_K does.
func DequantizeQ5_K(dst []float32, src []byte) {
	checkDequantize("DequantizeQ5_K", dst, src, BlockLenQ5_K, BlockSizeQ5_K)
	for ; len(src) > 0; dst, src = dst[BlockLenQ5_K:], src[BlockSizeQ5_K:] {
		var e expansion
		e.setAffine(src)
		unpackNibbles(e.levels[:], src[48:176], 32)
		unpackBits(e.levels[:], src[16:48], 4)
		e.expand(dst[:BlockLenQ5_K])
	}
}

func storeQ5_K(dst []byte, b *affineSubBlocks, levels *[superBlock]uint8) {
	binary.LittleEndian.PutUint16(dst, b.d)
	binary.LittleEndian.PutUint16(dst[2:], b.dmin)
	b.packScales(dst[4:16])
	packBits(dst[16:48], levels[:], 4)
	packNibbles(dst[48:176], levels[:], 32)
}
