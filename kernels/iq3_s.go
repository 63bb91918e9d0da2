package kernels

import "encoding/binary"

// IQ3_S stores 256 values in 110 bytes, 3.4375 bits a value:
//
//	d       float16
//	qs      [64]uint8  low 8 bits of the 9-bit codes of groups of 4 values
//	qh      [8]uint8   high bits of the codes, from the lowest bit of byte 0 on
//	signs   [32]uint8  a sign bit per value, likewise
//	scales  [4]uint8   a 4-bit scale per 32 values, low nibble first
const (
	BlockLenIQ3_S  = superBlock
	BlockSizeIQ3_S = 110
)

// QuantizeIQ3_S quantizes rows of src to IQ3_S, by a search
// (gridFit) for scales and points of a small weighted square error. Without weights the importance of a value is its square, with weights it is
// weight·√(2·mean(x²)+x²).
//
// Where 32 values of a block, but not all 256, are zeros, the reference quantizer puts the
// codes and signs of what follows in their place, 32 values too early, and so does this: the
// bytes are the same, and the block decodes to something else.
func QuantizeIQ3_S(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ3_S", dst, src, rowLen, weights, BlockLenIQ3_S, BlockSizeIQ3_S)
	iq3SBook.load()
	var s iqBlock
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ3_S(dst[i/superBlock*BlockSizeIQ3_S:][:BlockSizeIQ3_S], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

var iq3SFit = gridFit{book: &iq3SBook, first: -9, last: 9, step: 0.2, again: reselectAllIfMoved}

func quantizeIQ3_S(dst []byte, x, weights []float32, s *iqBlock) {
	clear(dst)
	qs, qh, signs, packedScales := dst[2:66], dst[66:74], dst[74:106], dst[106:110]
	energy := float32(2 * sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [8]float32
	stored := 0 // sub-blocks in qs and signs
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 32)
		s.weigh(xb, wb, energy, 0)
		s.setSigns(xb)
		peak := s.peak(32)
		if peak == 0 {
			continue
		}
		scale := iq3SFit.fit(s, 32, peak, peak/15)
		scales[b] = s.flipIfNegative(scale, 32, 0xff)
		for g, p := range s.points {
			n := iq3SBook.number[p]
			qs[8*stored+g] = uint8(n)
			qh[b] |= uint8(n>>8) << g
		}
		copy(signs[4*stored:], s.signs[:])
		stored++
	}
	var numbers [8]uint8
	d, ok := blockScale(numbers[:], scales[:], 15)
	if !ok {
		return
	}
	binary.LittleEndian.PutUint16(dst, halfBits(d*1.033))
	for i := range packedScales {
		packedScales[i] = numbers[2*i] | numbers[2*i+1]<<4
	}
}

// subBlock returns sub-block b of length n of the values and, if any, the weights.
func subBlock(x, weights []float32, b, n int) (xb, wb []float32) {
	if weights != nil {
		wb = weights[b*n : (b+1)*n]
	}
	return x[b*n : (b+1)*n], wb
}

// DequantizeIQ3_S decodes blocks of IQ3_S, see [QuantizeIQ3_S]:
//
//	y = d·(1+2·scale) · (2·level+1) · ±1
func DequantizeIQ3_S(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ3_S", dst, src, BlockLenIQ3_S, BlockSizeIQ3_S)
	decoded := iq3SBook.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ3_S:], src[BlockSizeIQ3_S:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		qs, qh, signs, scales := src[2:66], src[66:74], src[74:106], src[106:110]
		for g := range 32 {
			high := uint16(qh[g/4] >> (g % 4 * 2))
			values := decoded[uint16(qs[2*g])|high&1<<8] | decoded[uint16(qs[2*g+1])|high>>1&1<<8]<<32
			e.setGroup(g, withSigns(values, signs[g]))
		}
		for b := range 8 {
			e.setScale32(b, d*float32(1+2*(scales[b/2]>>(b%2*4)&15)), 0)
		}
		e.expand(dst[:BlockLenIQ3_S])
	}
}
