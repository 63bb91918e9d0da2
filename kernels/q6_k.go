package kernels

import "encoding/binary"

// Q6_K stores 256 values in 210 bytes, 6.5625 bits a value: the low four bits of
// the levels, their top two bits, 16 scales of eight bits, and a half float d, so
// that for the 16 values of sub-block i
//
//	x ≈ d·int8(scale[i])·(level−32)
//
// Levels lie in groups of 128: byte j of the 64 low ones holds element j (low) and
// j+64 (high), byte j of the 32 top ones elements j, j+32, j+64 and j+96.
const (
	BlockLenQ6_K  = superBlock
	BlockSizeQ6_K = 210
)

// QuantizeQ6_K quantizes rows of src to Q6_K. Each sub-block's scale comes from
// fitSymmetric, with errors weighed by x², or by the importance alone if there are
// weights; the scales are rounded to multiples of 1/128 of the greatest, and the
// levels taken anew.
func QuantizeQ6_K(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ6_K", dst, src, rowLen, weights, BlockLenQ6_K, BlockSizeQ6_K)
	quantizeQ6_K(dst, src, rowLen, weights)
}

// DequantizeQ6_K computes the values of Q6_K blocks: d·scale is rounded to float32,
// then its product with level−32.
func DequantizeQ6_K(dst []float32, src []byte) {
	checkDequantize("DequantizeQ6_K", dst, src, BlockLenQ6_K, BlockSizeQ6_K)
	for ; len(src) > 0; dst, src = dst[BlockLenQ6_K:], src[BlockSizeQ6_K:] {
		var e expansion
		d := halfValue(binary.LittleEndian.Uint16(src[208:]))
		for i, s := range src[192:208] {
			e.scale[i] = d * float32(int8(s))
		}
		unpackNibbles(e.levels[:], src[:128], 64)
		unpackPairs(e.levels[:], src[128:192], 4)
		subtractLevels(e.levels[:], 32)
		e.expand(dst[:BlockLenQ6_K])
	}
}

// scaleQ6_K rounds scales to d·(-128..127), with d such that the one of the
// greatest magnitude is stored as -128. It returns d as a half float, and whether
// the block is anything but zeros.
func scaleQ6_K(scales *[16]int8, fitted *[16]float32) (d uint16, ok bool) {
	peak, magnitude := absMax(fitted[:])
	if magnitude < tiny {
		return 0, false
	}
	inverse := -128 / peak
	for i, s := range fitted {
		scales[i] = int8(min(127, nearestInt(inverse*s)))
	}
	return halfBits(1 / inverse), true
}

func storeQ6_K(dst []byte, d uint16, scales *[16]int8, levels *[superBlock]uint8) {
	packNibbles(dst[:128], levels[:], 64)
	packPairs(dst[128:192], levels[:], 4)
	for i, s := range scales {
		dst[192+i] = uint8(s)
	}
	binary.LittleEndian.PutUint16(dst[208:], d)
}
