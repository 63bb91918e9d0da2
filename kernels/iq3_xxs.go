package kernels

import "encoding/binary"

// IQ3_XXS stores 256 values in 98 bytes, 3.0625 bits a value:
//
//	d       float16
//	qs      [64]uint8  codes of groups of 4 values
//	scales  [8]uint32  for 32 values each: 7 sign bits per 8 values, the eighth
//	                   making their number even; and a 4-bit scale on top
const (
	BlockLenIQ3_XXS  = superBlock
	BlockSizeIQ3_XXS = 98
)

// QuantizeIQ3_XXS quantizes rows of src to IQ3_XXS, by a search
// (gridFit) for scales and points of a small weighted square error. Without weights the importance of a value is its square, with weights it is
// weight·√(2·mean(x²)+x²).
func QuantizeIQ3_XXS(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ3_XXS", dst, src, rowLen, weights, BlockLenIQ3_XXS, BlockSizeIQ3_XXS)
	iq3XXSBook.load()
	var s iqBlock
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ3_XXS(dst[i/superBlock*BlockSizeIQ3_XXS:][:BlockSizeIQ3_XXS], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

var iq3XXSFit = gridFit{book: &iq3XXSBook, first: -15, last: 15, step: 0.2, again: reselectMoved}

// tinyIQ3_XXS is the peak below which a sub-block counts as zeros.
const tinyIQ3_XXS = 1e-8

func quantizeIQ3_XXS(dst []byte, x, weights []float32, s *iqBlock) {
	clear(dst)
	qs, packedScales := dst[2:66], dst[66:98]
	energy := float32(2 * sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [8]float32
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 32)
		s.weigh(xb, wb, energy, 0)
		s.setEvenSigns(xb)
		peak := s.peak(32)
		if peak < tinyIQ3_XXS {
			continue
		}
		scale := iq3XXSFit.fit(s, 32, peak, peak/15)
		scales[b] = s.flipIfNegative(scale, 32, 0x7f)
		for g, p := range s.points {
			qs[8*b+g] = uint8(iq3XXSBook.number[p])
		}
		binary.LittleEndian.PutUint32(packedScales[4*b:], s.packEvenSigns())
	}
	var numbers [8]uint8
	d, ok := blockScale(numbers[:], scales[:], 15)
	if !ok {
		clear(dst)
		return
	}
	binary.LittleEndian.PutUint16(dst, halfBits(d*1.0125))
	for b, n := range numbers {
		packedScales[4*b+3] |= n << 4
	}
}

// packEvenSigns returns the signs of 32 values in 28 bits.
func (s *iqBlock) packEvenSigns() uint32 {
	return uint32(s.signs[0]) | uint32(s.signs[1])<<7 | uint32(s.signs[2])<<14 | uint32(s.signs[3])<<21
}

// DequantizeIQ3_XXS decodes blocks of IQ3_XXS, see [QuantizeIQ3_XXS]:
//
//	y = d·(½+scale)·½ · value[level] · ±1
//
// with 4, 12, 20, 28, 36, 44, 52 and 62 for the levels.
func DequantizeIQ3_XXS(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ3_XXS", dst, src, BlockLenIQ3_XXS, BlockSizeIQ3_XXS)
	decoded := iq3XXSBook.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ3_XXS:], src[BlockSizeIQ3_XXS:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		qs := src[2:66]
		for b := range 8 {
			packed := binary.LittleEndian.Uint32(src[66+4*b:])
			for i := range 4 {
				g := 4*b + i
				values := decoded[qs[2*g]] | decoded[qs[2*g+1]]<<32
				e.setGroup(g, withSigns(values, evenSigns(uint8(packed>>(7*i)))))
			}
			e.setScale32(b, d*(0.5+float32(packed>>28))*0.5, 0)
		}
		e.expand(dst[:BlockLenIQ3_XXS])
	}
}
