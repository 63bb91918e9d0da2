package kernels

import "encoding/binary"

// Q4_1 stores 32 values in 20 bytes, 5 bits a value: half floats d and m, and 32
// levels of four bits, x ≈ d·level + m. Byte j of the levels holds element j (low)
// and j+16 (high).
const (
	BlockLenQ4_1  = 32
	BlockSizeQ4_1 = 20
)

var q41WeightedSearch = affineSearch{top: 15, start: -0.9, step: 0.05, steps: 36}

// QuantizeQ4_1 quantizes rows of src to Q4_1. Without weights m is the least value
// and m + 15·d the greatest. With weights both come from a search (affineSearch)
// that weighs errors by importance·√(Σx²/rowLen + x²), Σx² being that of the row.
// Levels belong to the float32 d and m rather than to the stored ones.
func QuantizeQ4_1(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ4_1", dst, src, rowLen, weights, BlockLenQ4_1, BlockSizeQ4_1)
	if weights == nil {
		quantizeQ4_1(dst, src)
	} else {
		quantizeQ4_1Weighted(dst, src, rowLen, weights)
	}
}

// DequantizeQ4_1 computes the values of Q4_1 blocks; the product d·level is rounded
// to float32 before m is added.
func DequantizeQ4_1(dst []float32, src []byte) {
	checkDequantize("DequantizeQ4_1", dst, src, BlockLenQ4_1, BlockSizeQ4_1)
	dequantizeQ4_1(dst, src)
}

func dequantizeQ4_1Generic(dst []float32, src []byte) {
	for len(dst) > 0 {
		var e expansion
		n := min(len(dst)/32, 8)
		for i := range n {
			b := src[BlockSizeQ4_1*i:][:BlockSizeQ4_1]
			e.setScale32(i, halfValue(binary.LittleEndian.Uint16(b)), -halfValue(binary.LittleEndian.Uint16(b[2:])))
			unpackNibbles(e.levels[32*i:], b[4:], 16)
		}
		e.expand(dst[:32*n])
		dst, src = dst[32*n:], src[BlockSizeQ4_1*n:]
	}
}

func storeQ4_1(dst []byte, d, m float32, levels *[32]uint8) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	binary.LittleEndian.PutUint16(dst[2:], halfBits(m))
	packNibbles(dst[4:BlockSizeQ4_1], levels[:], 16)
}
