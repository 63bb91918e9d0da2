package kernels

import "encoding/binary"

// Q5_0 stores 32 values in 22 bytes, 5.5 bits a value: a half float d, a word with
// the levels' fifth bits (bit j: element j), and the low four bits of the 32 levels,
// x ≈ d·(level−16). Byte j of those holds element j (low) and j+16 (high).
const (
	BlockLenQ5_0  = 32
	BlockSizeQ5_0 = 22
)

// QuantizeQ5_0 quantizes rows of src to Q5_0, by the same steps as QuantizeQ4_0.
func QuantizeQ5_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ5_0", dst, src, rowLen, weights, BlockLenQ5_0, BlockSizeQ5_0)
	if weights == nil {
		quantizeQ5_0(dst, src)
	} else {
		quantizeQ5_0Weighted(dst, src, rowLen, weights)
	}
}

// DequantizeQ5_0 computes the values of Q5_0 blocks.
func DequantizeQ5_0(dst []float32, src []byte) {
	checkDequantize("DequantizeQ5_0", dst, src, BlockLenQ5_0, BlockSizeQ5_0)
	dequantizeQ5_0(dst, src)
}

func dequantizeQ5_0Generic(dst []float32, src []byte) {
	for len(dst) > 0 {
		var e expansion
		n := min(len(dst)/32, 8)
		for i := range n {
			b := src[BlockSizeQ5_0*i:][:BlockSizeQ5_0]
			e.setScale32(i, halfValue(binary.LittleEndian.Uint16(b)), 0)
			unpackNibbles(e.levels[32*i:], b[6:], 16)
			setFifthBits(e.levels[32*i:], binary.LittleEndian.Uint32(b[2:]))
		}
		subtractLevels(e.levels[:32*n], 16)
		e.expand(dst[:32*n])
		dst, src = dst[32*n:], src[BlockSizeQ5_0*n:]
	}
}

func storeQ5_0(dst []byte, d float32, levels *[32]uint8) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	binary.LittleEndian.PutUint32(dst[2:], fifthBits(levels))
	packNibbles(dst[6:BlockSizeQ5_0], levels[:], 16)
}
