package kernels

import "encoding/binary"

// IQ4_XS stores 256 values in 136 bytes, 4.25 bits a value: a half float d, eight
// scales of six bits (the top two bits of each in a word, the low four in 4 bytes),
// and 256 levels of four bits, so that for the 32 values of sub-block i
//
//	x ≈ d·(scale[i]−32)·iq4Values[level]
//
// Levels lie in groups of 32: byte j holds element j (low) and j+16 (high).
const (
	BlockLenIQ4_XS  = superBlock
	BlockSizeIQ4_XS = 136
)

// QuantizeIQ4_XS quantizes rows of src to IQ4_XS. The sub-blocks' scales come from
// the search of IQ4_NL, with Σx²/256 over the whole block in the weights of errors,
// and are rounded to multiples of 1/32 of the greatest; the levels are then taken
// anew, with the float32 d rather than the stored one.
func QuantizeIQ4_XS(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ4_XS", dst, src, rowLen, weights, BlockLenIQ4_XS, BlockSizeIQ4_XS)
	quantizeIQ4_XS(dst, src, rowLen, weights)
}

// DequantizeIQ4_XS computes the values of IQ4_XS blocks: d·(scale−32) is rounded to
// float32, then its product with the level's value.
func DequantizeIQ4_XS(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ4_XS", dst, src, BlockLenIQ4_XS, BlockSizeIQ4_XS)
	for ; len(src) > 0; dst, src = dst[BlockLenIQ4_XS:], src[BlockSizeIQ4_XS:] {
		var e expansion
		d := halfValue(binary.LittleEndian.Uint16(src))
		top := binary.LittleEndian.Uint16(src[2:])
		for i := range 8 {
			s := int32(src[4+i/2]>>(i%2*4)&15) | int32(top>>(2*i)&3)<<4
			e.setScale32(i, d*float32(s-32), 0)
		}
		unpackNibbles(e.levels[:], src[8:136], 16)
		e.expandTable(dst[:BlockLenIQ4_XS], &iq4Values)
	}
}

// scaleIQ4_XS rounds fitted scales to d·(-32..31), with d such that the one of the
// greatest magnitude is stored as -32.
func scaleIQ4_XS(scales *[8]int32, fitted *[8]float32) (d float32) {
	peak, _ := absMax(fitted[:])
	d = -peak / 32 // -0 for a block of zeros, as in the reference
	inverse := reciprocal(d)
	for i, s := range fitted {
		scales[i] = nearestLevel(inverse*s, -32, 31)
	}
	return d
}

func storeIQ4_XS(dst []byte, d float32, scales *[8]int32, levels *[superBlock]uint8) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	var top uint16
	for i, s := range scales {
		top |= uint16(s+32) >> 4 << (2 * i)
	}
	binary.LittleEndian.PutUint16(dst[2:], top)
	for i := range 4 {
		dst[4+i] = uint8(scales[2*i]+32)&15 | uint8(scales[2*i+1]+32)&15<<4
	}
	packNibbles(dst[8:136], levels[:], 16)
}
