package kernels

import "encoding/binary"

// Q4_K stores 256 values in 144 bytes, 4.5 bits a value: two half floats d and
// dmin, eight scales and eight mins of six bits in 12 bytes, and 256 levels of four
// bits, so that for the 32 values of sub-block i
//
//	x ≈ d·scale[i]·level − dmin·min[i]
//
// Levels lie in groups of 64: byte j holds element j (low) and j+32 (high).
const (
	BlockLenQ4_K  = superBlock
	BlockSizeQ4_K = 144
)

var (
	q4KSearch         = affineSearch{top: 15, start: -1, step: 0.1, steps: 20}
	q4KWeightedSearch = affineSearch{top: 15, start: -0.9, step: 0.05, steps: 36}
)

// QuantizeQ4_K quantizes rows of src to Q4_K. Each sub-block's scale and min come
// from a search (affineSearch) that weighs errors by |x| plus the sub-block's root
// mean square, or by importance·√(2·Σx²/256 + x²) if there are weights; then the
// scales and mins are rounded to six bits, and the levels taken anew.
func QuantizeQ4_K(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ4_K", dst, src, rowLen, weights, BlockLenQ4_K, BlockSizeQ4_K)
	quantizeQ4_K(dst, src, rowLen, weights)
}

// DequantizeQ4_K computes the values of Q4_K blocks, with d·scale, dmin·min, the
// product with the level and the difference rounded to float32 one by one.
func DequantizeQ4_K(dst []float32, src []byte) {
	checkDequantize("DequantizeQ4_K", dst, src, BlockLenQ4_K, BlockSizeQ4_K)
	for ; len(src) > 0; dst, src = dst[BlockLenQ4_K:], src[BlockSizeQ4_K:] {
		var e expansion
		e.setAffine(src)
		unpackNibbles(e.levels[:], src[16:144], 32)
		e.expand(dst[:BlockLenQ4_K])
	}
}

// store packs a block: d, dmin, scales, levels.
func storeQ4_K(dst []byte, b *affineSubBlocks, levels *[superBlock]uint8) {
	binary.LittleEndian.PutUint16(dst, b.d)
	binary.LittleEndian.PutUint16(dst[2:], b.dmin)
	b.packScales(dst[4:16])
	packNibbles(dst[16:144], levels[:], 32)
}
