package kernels

import "encoding/binary"

// IQ2_S stores 256 values in 82 bytes, 2.5625 bits a value:
//
//	d       float16
//	qs      [32]uint8  low 8 bits of the 10-bit codes of groups of 8 values
//	signs   [32]uint8  a sign bit per value
//	qh      [8]uint8   the 2 high bits of the codes, from the lowest bits of byte 0 on
//	scales  [8]uint8   a 4-bit scale per 16 values, low nibble first
const (
	BlockLenIQ2_S  = superBlock
	BlockSizeIQ2_S = 82
)

// QuantizeIQ2_S quantizes rows of src to IQ2_S, by a search
// (gridFit) for scales and points of a small weighted square error. Without weights the importance of a value is ½·mean(x²)+x², with weights it is
// weight·√(2·mean(x²)+x²).
func QuantizeIQ2_S(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ2_S", dst, src, rowLen, weights, BlockLenIQ2_S, BlockSizeIQ2_S)
	iq2SBook.load()
	var s iqBlock
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ2_S(dst[i/superBlock*BlockSizeIQ2_S:][:BlockSizeIQ2_S], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

var iq2SFit = gridFit{book: &iq2SBook, first: -9, last: 9, step: 0.1, again: reselectMoved}

// tinyIQ2_S is the peak below which a sub-block counts as zeros.
const tinyIQ2_S = 1e-8

func quantizeIQ2_S(dst []byte, x, weights []float32, s *iqBlock) {
	clear(dst)
	qs, signs, qh, packedScales := dst[2:34], dst[34:66], dst[66:74], dst[74:82]
	energy := float32(2 * sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [16]float32
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 16)
		s.weigh(xb, wb, energy, float32(0.25*energy))
		s.setSigns(xb)
		peak := s.peak(16)
		if peak < tinyIQ2_S {
			continue
		}
		scale := iq2SFit.fit(s, 16, peak, peak/5)
		scales[b] = s.flipIfNegative(scale, 16, 0xff)
		for g, p := range s.points[:2] {
			n := iq2SBook.number[p]
			i := 2*b + g
			qs[i] = uint8(n)
			qh[i/4] |= uint8(n>>8) << (i % 4 * 2)
			signs[i] = s.signs[g]
		}
	}
	var numbers [16]uint8
	d, ok := blockScale(numbers[:], scales[:], 15)
	if !ok {
		return
	}
	binary.LittleEndian.PutUint16(dst, halfBits(d*0.9875))
	for i := range packedScales {
		packedScales[i] = numbers[2*i] | numbers[2*i+1]<<4
	}
}

// DequantizeIQ2_S decodes blocks of IQ2_S, see [QuantizeIQ2_S]:
//
//	y = d·(½+scale)·¼ · value[level] · ±1
//
// with 8, 25 and 43 for the levels.
func DequantizeIQ2_S(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ2_S", dst, src, BlockLenIQ2_S, BlockSizeIQ2_S)
	decoded := iq2SBook.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ2_S:], src[BlockSizeIQ2_S:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		qs, signs, qh, scales := src[2:34], src[34:66], src[66:74], src[74:82]
		for g := range 32 {
			e.setGroup(g, withSigns(decoded[uint16(qs[g])|uint16(qh[g/4]>>(g%4*2)&3)<<8], signs[g]))
		}
		for b := range e.scale {
			e.scale[b] = d * (0.5 + float32(scales[b/2]>>(b%2*4)&15)) * 0.25
		}
		e.expand(dst[:BlockLenIQ2_S])
	}
}
