package kernels

import "encoding/binary"

// IQ2_XXS stores 256 values in 66 bytes, 2.0625 bits a value:
//
//	d   float16
//	qs  [8]struct {
//	        codes  [4]uint8  of groups of 8 values
//	        signs  uint32    7 sign bits per group, the eighth making their number
//	                         even; and a 4-bit scale on top
//	    }
const (
	BlockLenIQ2_XXS  = superBlock
	BlockSizeIQ2_XXS = 66
)

// QuantizeIQ2_XXS quantizes rows of src to IQ2_XXS, by a search
// (gridFit) for scales and points of a small weighted square error. The importance of a value is weight·√(mean(x²)+x²). There is no quantizing
// without weights: QuantizeIQ2_XXS panics if they are nil.
func QuantizeIQ2_XXS(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ2_XXS", dst, src, rowLen, weights, BlockLenIQ2_XXS, BlockSizeIQ2_XXS)
	checkWeights("QuantizeIQ2_XXS", weights)
	iq2XXSBook.load()
	var s iqBlock
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ2_XXS(dst[i/superBlock*BlockSizeIQ2_XXS:][:BlockSizeIQ2_XXS], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

var iq2XXSFit = gridFit{book: &iq2XXSBook, first: -6, last: 6, step: 0.1, again: reselectAll}

func quantizeIQ2_XXS(dst []byte, x, weights []float32, s *iqBlock) {
	clear(dst)
	qs := dst[2:66]
	energy := float32(sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [8]float32
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 32)
		s.weigh(xb, wb, energy, 0)
		s.setEvenSigns(xb)
		if s.peak(32) < tiny {
			continue
		}
		// Where the trials start: the scale for the five levels 0 to 4, of which the
		// codebook has the first three.
		var levels [32]uint8
		scale := fitPositive(levels[:], s.x[:], s.w[:], 4)
		peak := 3 * scale
		if peak <= 0 {
			continue
		}
		scale = iq2XXSFit.fit(s, 32, peak, scale)
		scales[b] = s.flipIfNegative(scale, 32, 0x7f)
		for g, p := range s.points[:4] {
			qs[8*b+g] = uint8(iq2XXSBook.number[p])
		}
		binary.LittleEndian.PutUint32(qs[8*b+4:], s.packEvenSigns())
	}
	var numbers [8]uint8
	d, ok := blockScale(numbers[:], scales[:], 15)
	if !ok {
		clear(dst)
		return
	}
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	for b, n := range numbers {
		qs[8*b+7] |= n << 4
	}
}

// DequantizeIQ2_XXS decodes blocks of IQ2_XXS, see [QuantizeIQ2_XXS]:
//
//	y = d·(½+scale)·¼ · value[level] · ±1
//
// with 8, 25 and 43 for the levels.
func DequantizeIQ2_XXS(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ2_XXS", dst, src, BlockLenIQ2_XXS, BlockSizeIQ2_XXS)
	decoded := iq2XXSBook.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ2_XXS:], src[BlockSizeIQ2_XXS:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		for b := range 8 {
			q := src[2+8*b:][:8]
			packed := binary.LittleEndian.Uint32(q[4:])
			for i := range 4 {
				e.setGroup(4*b+i, withSigns(decoded[q[i]], evenSigns(uint8(packed>>(7*i)))))
			}
			e.setScale32(b, d*(0.5+float32(packed>>28))*0.25, 0)
		}
		e.expand(dst[:BlockLenIQ2_XXS])
	}
}
