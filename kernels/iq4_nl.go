package kernels

import "encoding/binary"

// IQ4_NL stores 32 values in 18 bytes, 4.5 bits a value: a half float d and 32
// levels of four bits, x ≈ d·iq4Values[level]. Byte j of the levels holds element j
// (low) and j+16 (high).
const (
	BlockLenIQ4_NL  = 32
	BlockSizeIQ4_NL = 18
)

// iq4Values are the values of the levels of IQ4_NL and IQ4_XS, closer together near
// zero, where most weights are.
var iq4Values = [16]int8{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// QuantizeIQ4_NL quantizes rows of src to IQ4_NL. d comes from a search (fitIQ4),
// with errors weighed by x², or by importance·√(2·Σx²/32 + x²), Σx² being that of
// the block, if there are weights. Levels are taken with the float32 d rather than
// the stored one.
func QuantizeIQ4_NL(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ4_NL", dst, src, rowLen, weights, BlockLenIQ4_NL, BlockSizeIQ4_NL)
	quantizeIQ4_NL(dst, src, rowLen, weights)
}

// DequantizeIQ4_NL computes the values of IQ4_NL blocks.
func DequantizeIQ4_NL(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ4_NL", dst, src, BlockLenIQ4_NL, BlockSizeIQ4_NL)
	dequantizeIQ4_NL(dst, src)
}

func dequantizeIQ4_NLGeneric(dst []float32, src []byte) {
	for len(dst) > 0 {
		var e expansion
		n := min(len(dst)/32, 8)
		for i := range n {
			b := src[BlockSizeIQ4_NL*i:][:BlockSizeIQ4_NL]
			e.setScale32(i, halfValue(binary.LittleEndian.Uint16(b)), 0)
			unpackNibbles(e.levels[32*i:], b[2:], 16)
		}
		e.expandTable(dst[:32*n], &iq4Values)
		dst, src = dst[32*n:], src[BlockSizeIQ4_NL*n:]
	}
}

func storeIQ4_NL(dst []byte, d float32, levels *[32]uint8) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	packNibbles(dst[2:BlockSizeIQ4_NL], levels[:], 16)
}
