package kernels

import "encoding/binary"

// IQ1_M stores 256 values in 56 bytes, 1.75 bits a value:
//
//	qs      [32]uint8  low 8 bits of the 11-bit codes of groups of 8 values
//	qh      [16]uint8  a nibble per group: the 3 high bits of its code and the sign
//	                   of δ
//	scales  [4]uint16  four 3-bit scales of 16 values each, and on top, from the
//	                   lowest up, a nibble of the float16 d
const (
	BlockLenIQ1_M  = superBlock
	BlockSizeIQ1_M = 56
)

// QuantizeIQ1_M quantizes rows of src to IQ1_M, with the
// levels and scales of least weighted square error (iq1Split), moved to points of the
// codebook. Without weights the importance of a value is its square, with weights it is
// weight·√(2·mean(x²)+x²).
func QuantizeIQ1_M(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ1_M", dst, src, rowLen, weights, BlockLenIQ1_M, BlockSizeIQ1_M)
	iq1Book.load()
	var s iq1Block
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ1_M(dst[i/superBlock*BlockSizeIQ1_M:][:BlockSizeIQ1_M], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

// tinyIQ1_M is the magnitude below which a sub-block counts as zeros.
const tinyIQ1_M = 1e-7

// iq1MShifts are the choices of δ in the two halves of a sub-block: 0 for δ > 0.
var iq1MShifts = [4][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}}

func quantizeIQ1_M(dst []byte, x, weights []float32, s *iq1Block) {
	clear(dst)
	qs, qh, packedScales := dst[:32], dst[32:48], dst[48:56]
	energy := float32(2 * sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [16]float32
	var shifts [16]int
	var points [32]uint16
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 16)
		s.weigh(xb, wb, energy)
		if peakMagnitude(xb) < tinyIQ1_M {
			continue
		}
		s.sort(xb)
		iq1SplitM(s, xb)
		if s.split.shift < 0 {
			continue
		}
		s.setLevels(16, 4)
		var fit weightedFit
		allExact := true
		for g, shift := range iq1MShifts[s.split.shift] {
			p, exact := s.nearest(xb, g, &iq1Values[shift])
			allExact = allExact && exact
			fit.add(xb[8*g:8*g+8], s.w[8*g:8*g+8], p, &iq1Values[shift], 1)
			points[2*b+g] = p
			n := iq1Book.number[p]
			qs[2*b+g] = uint8(n)
			qh[b] |= uint8(n>>8) << (4 * g)
		}
		scales[b], shifts[b] = s.split.scale, s.split.shift
		if !allExact {
			scales[b] = fit.scale(scales[b])
		}
	}
	var numbers [16]uint8
	d, ok := blockScale(numbers[:], scales[:], 7)
	if !ok {
		return
	}
	// d is fitted once more, to the scales as they are stored.
	var fit weightedFit
	for b, n := range numbers {
		xb, wb := subBlock(x, weights, b, 16)
		s.weigh(xb, wb, energy)
		for g, shift := range iq1MShifts[shifts[b]] {
			qh[b] |= uint8(shift) << (4*g + 3)
			fit.add(xb[8*g:8*g+8], s.w[8*g:8*g+8], points[2*b+g], &iq1Values[shift], float32(2*n+1))
		}
	}
	if fit.sumQ2 > 0 {
		d = fit.sumXQ / fit.sumQ2
	}
	h := halfBits(float32(d * 1.1125))
	for i := range 4 {
		four := uint16(numbers[4*i]) | uint16(numbers[4*i+1])<<3 | uint16(numbers[4*i+2])<<6 | uint16(numbers[4*i+3])<<9
		binary.LittleEndian.PutUint16(packedScales[2*i:], four|h>>(4*i)<<12)
	}
}

// DequantizeIQ1_M decodes blocks of IQ1_M, see [QuantizeIQ1_M]:
//
//	y = d·(2·scale+1) · (t ± ⅛)
func DequantizeIQ1_M(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ1_M", dst, src, BlockLenIQ1_M, BlockSizeIQ1_M)
	decoded := iq1Book.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ1_M:], src[BlockSizeIQ1_M:] {
		qs, qh := src[:32], src[32:48]
		var four [4]uint16
		var h uint16
		for i := range four {
			four[i] = binary.LittleEndian.Uint16(src[48+2*i:])
			h |= four[i] >> 12 << (4 * i)
		}
		d := halfValue(h)
		for g := range 32 {
			high := uint16(qh[g/2] >> (g % 2 * 4))
			e.setGroup(g, iq1Group(decoded[uint16(qs[g])|high&7<<8], high>>3&1))
		}
		for b := range e.scale {
			e.scale[b] = d * float32(2*(four[b/4]>>(b%4*3)&7)+1) * 0.125
		}
		e.expand(dst[:BlockLenIQ1_M])
	}
}
