package kernels

import "encoding/binary"

// IQ2_XS stores 256 values in 74 bytes, 2.3125 bits a value:
//
//	d       float16
//	qs      [32]uint16  for 8 values each: the 9-bit code of the group, and above it
//	                    7 sign bits, the eighth making their number even
//	scales  [8]uint8    a 4-bit scale per 16 values, low nibble first
const (
	BlockLenIQ2_XS  = superBlock
	BlockSizeIQ2_XS = 74
)

// QuantizeIQ2_XS quantizes rows of src to IQ2_XS, by a search
// (gridFit) for scales and points of a small weighted square error. The importance of a value is weight·√(mean(x²)+x²). There is no quantizing
// without weights: QuantizeIQ2_XS panics if they are nil.
func QuantizeIQ2_XS(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ2_XS", dst, src, rowLen, weights, BlockLenIQ2_XS, BlockSizeIQ2_XS)
	checkWeights("QuantizeIQ2_XS", weights)
	iq2XSBook.load()
	var s iqBlock
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ2_XS(dst[i/superBlock*BlockSizeIQ2_XS:][:BlockSizeIQ2_XS], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

func checkWeights(name string, weights []float32) {
	if weights == nil {
		panic("kernels: " + name + " without weights")
	}
}

var iq2XSFit = gridFit{book: &iq2XSBook, first: -9, last: 9, step: 0.1, again: reselectMoved}

func quantizeIQ2_XS(dst []byte, x, weights []float32, s *iqBlock) {
	clear(dst)
	qs, packedScales := dst[2:66], dst[66:74]
	energy := float32(sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [16]float32
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 16)
		s.weigh(xb, wb, energy, 0)
		s.setEvenSigns(xb)
		peak := s.peak(16)
		if peak < tiny {
			continue
		}
		scale := iq2XSFit.fit(s, 16, peak, peak/5)
		scales[b] = s.flipIfNegative(scale, 16, 0x7f)
		for g, p := range s.points[:2] {
			binary.LittleEndian.PutUint16(qs[4*b+2*g:], iq2XSBook.number[p]|uint16(s.signs[g])<<9)
		}
	}
	var numbers [16]uint8
	d, ok := blockScale(numbers[:], scales[:], 15)
	if !ok {
		clear(dst)
		return
	}
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	for i := range packedScales {
		packedScales[i] = numbers[2*i] | numbers[2*i+1]<<4
	}
}

// DequantizeIQ2_XS decodes blocks of IQ2_XS, see [QuantizeIQ2_XS]:
//
//	y = d·(½+scale)·¼ · value[level] · ±1
//
// with 8, 25 and 43 for the levels.
func DequantizeIQ2_XS(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ2_XS", dst, src, BlockLenIQ2_XS, BlockSizeIQ2_XS)
	decoded := iq2XSBook.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ2_XS:], src[BlockSizeIQ2_XS:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		qs, scales := src[2:66], src[66:74]
		for g := range 32 {
			q := binary.LittleEndian.Uint16(qs[2*g:])
			e.setGroup(g, withSigns(decoded[q&511], evenSigns(uint8(q>>9))))
		}
		for b := range e.scale {
			e.scale[b] = d * (0.5 + float32(scales[b/2]>>(b%2*4)&15)) * 0.25
		}
		e.expand(dst[:BlockLenIQ2_XS])
	}
}
