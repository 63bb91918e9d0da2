package kernels

import "encoding/binary"

// Q4_0 stores 32 values in 18 bytes, 4.5 bits a value: a half float d and 32 levels
// of four bits, x ≈ d·(level−8). Byte j of the levels holds element j (low) and
// j+16 (high).
const (
	BlockLenQ4_0  = 32
	BlockSizeQ4_0 = 18
)

// QuantizeQ4_0 quantizes rows of src to Q4_0. Without weights d brings the value of
// the greatest magnitude to level 0. With weights d comes from fitSymmetric, with
// errors weighed by importance·√(Σx²/rowLen + x²), Σx² being that of the row.
// Levels belong to the float32 d rather than to the stored one.
func QuantizeQ4_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ4_0", dst, src, rowLen, weights, BlockLenQ4_0, BlockSizeQ4_0)
	if weights == nil {
		quantizeQ4_0(dst, src)
	} else {
		quantizeQ4_0Weighted(dst, src, rowLen, weights)
	}
}

// DequantizeQ4_0 computes the values of Q4_0 blocks.
func DequantizeQ4_0(dst []float32, src []byte) {
	checkDequantize("DequantizeQ4_0", dst, src, BlockLenQ4_0, BlockSizeQ4_0)
	dequantizeQ4_0(dst, src)
}

func dequantizeQ4_0Generic(dst []float32, src []byte) {
	for len(dst) > 0 {
		var e expansion
		n := min(len(dst)/32, 8)
		for i := range n {
			b := src[BlockSizeQ4_0*i:][:BlockSizeQ4_0]
			e.setScale32(i, halfValue(binary.LittleEndian.Uint16(b)), 0)
			unpackNibbles(e.levels[32*i:], b[2:], 16)
		}
		subtractLevels(e.levels[:32*n], 8)
		e.expand(dst[:32*n])
		dst, src = dst[32*n:], src[BlockSizeQ4_0*n:]
	}
}

func storeQ4_0(dst []byte, d float32, levels *[32]uint8) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	packNibbles(dst[2:BlockSizeQ4_0], levels[:], 16)
}
