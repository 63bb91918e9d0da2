package kernels

import "encoding/binary"

// Q5_1 stores 32 values in 24 bytes, 6 bits a value: half floats d and m, a word
// with the levels' fifth bits (bit j: element j), and the low four bits of the 32
// levels, x ≈ d·level + m. Byte j of those holds element j (low) and j+16 (high).
const (
	BlockLenQ5_1  = 32
	BlockSizeQ5_1 = 24
)

var q51WeightedSearch = affineSearch{top: 31, start: -0.9, step: 0.05, steps: 36}

// QuantizeQ5_1 quantizes rows of src to Q5_1, by the same steps as QuantizeQ4_1.
func QuantizeQ5_1(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ5_1", dst, src, rowLen, weights, BlockLenQ5_1, BlockSizeQ5_1)
	if weights == nil {
		quantizeQ5_1(dst, src)
	} else {
		quantizeQ5_1Weighted(dst, src, rowLen, weights)
	}
}

// DequantizeQ5_1 computes the values of Q5_1 blocks; the product d·level is rounded
// to float32 before m is added.
func DequantizeQ5_1(dst []float32, src []byte) {
	checkDequantize("DequantizeQ5_1", dst, src, BlockLenQ5_1, BlockSizeQ5_1)
	dequantizeQ5_1(dst, src)
}

func dequantizeQ5_1Generic(dst []float32, src []byte) {
	for len(dst) > 0 {
		var e expansion
		n := min(len(dst)/32, 8)
		for i := range n {
			b := src[BlockSizeQ5_1*i:][:BlockSizeQ5_1]
			e.setScale32(i, halfValue(binary.LittleEndian.Uint16(b)), -halfValue(binary.LittleEndian.Uint16(b[2:])))
			unpackNibbles(e.levels[32*i:], b[8:], 16)
			setFifthBits(e.levels[32*i:], binary.LittleEndian.Uint32(b[4:]))
		}
		e.expand(dst[:32*n])
		dst, src = dst[32*n:], src[BlockSizeQ5_1*n:]
	}
}

func storeQ5_1(dst []byte, d, m float32, levels *[32]uint8) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	binary.LittleEndian.PutUint16(dst[2:], halfBits(m))
	binary.LittleEndian.PutUint32(dst[4:], fifthBits(levels))
	packNibbles(dst[8:BlockSizeQ5_1], levels[:], 16)
}
