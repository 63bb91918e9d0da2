package kernels

import "encoding/binary"

// Q3_K stores 256 values in 110 bytes, 3.4375 bits a value: a mask of 32 bytes with
// the levels' third bits (bit i of byte j: element 32·i+j), their low two bits in
// groups of 128 as in Q2_K, 16 scales of six bits, and a half float d, so that for
// the 16 values of sub-block i
//
//	x ≈ d·(scale[i]−32)·(level−4)
const (
	BlockLenQ3_K  = superBlock
	BlockSizeQ3_K = 110
)

// QuantizeQ3_K quantizes rows of src to Q3_K. Without weights each sub-block's
// scale comes from fitDescent, and the scales are rounded to multiples of 1/32 of
// the greatest. With weights, both the values and the scales go through
// fitSymmetric, with errors weighed by importance·√(2·Σx²/256 + x²). The levels are
// then taken anew.
func QuantizeQ3_K(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ3_K", dst, src, rowLen, weights, BlockLenQ3_K, BlockSizeQ3_K)
	quantizeQ3_K(dst, src, rowLen, weights)
}

// DequantizeQ3_K computes the values of Q3_K blocks: d·(scale−32) is rounded to
// float32, then its product with level−4.
func DequantizeQ3_K(dst []float32, src []byte) {
	checkDequantize("DequantizeQ3_K", dst, src, BlockLenQ3_K, BlockSizeQ3_K)
	for ; len(src) > 0; dst, src = dst[BlockLenQ3_K:], src[BlockSizeQ3_K:] {
		var e expansion
		var scales [16]uint8
		unpackScalesQ3_K(&scales, src[96:108])
		d := halfValue(binary.LittleEndian.Uint16(src[108:]))
		for i, s := range scales {
			e.scale[i] = d * float32(int32(s)-32)
		}
		unpackPairs(e.levels[:], src[32:96], 0)
		unpackBits(e.levels[:], src[:32], 2)
		subtractLevels(e.levels[:], 4)
		e.expand(dst[:BlockLenQ3_K])
	}
}

// scaleUnweightedQ3_K rounds scales to d·(0..63 − 32), with d such that the one of
// the greatest magnitude is stored as 0. It returns d as a half float.
func scaleUnweightedQ3_K(scales *[16]uint8, fitted *[16]float32) uint16 {
	peak, _ := absMax(fitted[:])
	if peak == 0 {
		*scales = [16]uint8{}
		return 0
	}
	inverse := -32 / peak
	for i, s := range fitted {
		scales[i] = uint8(nearestLevel(inverse*s, -32, 31) + 32)
	}
	return halfBits(1 / inverse)
}

// packScalesQ3_K stores 16 scales of six bits in 12 bytes: byte i < 8 holds the low
// four bits of scales i (low) and i+8 (high), byte 8+i the top two bits of scales
// i, i+4, i+8 and i+12.
func packScalesQ3_K(dst []byte, s *[16]uint8) {
	for i := range 8 {
		dst[i] = s[i]&15 | s[i+8]&15<<4
	}
	for i := range 4 {
		dst[8+i] = s[i]>>4 | s[i+4]>>4<<2 | s[i+8]>>4<<4 | s[i+12]>>4<<6
	}
}

// unpackScalesQ3_K is the inverse of packScalesQ3_K.
func unpackScalesQ3_K(s *[16]uint8, src []byte) {
	for i := range s {
		low := src[i%8] >> (i / 8 * 4) & 15
		s[i] = low | src[8+i%4]>>(i/4*2)&3<<4
	}
}

func storeQ3_K(dst []byte, d uint16, scales *[16]uint8, levels *[superBlock]uint8) {
	packBits(dst[:32], levels[:], 2)
	packPairs(dst[32:96], levels[:], 0)
	packScalesQ3_K(dst[96:108], scales)
	binary.LittleEndian.PutUint16(dst[108:], d)
}
