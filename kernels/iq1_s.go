package kernels

import "encoding/binary"

// IQ1_S stores 256 values in 50 bytes, 1.5625 bits a value:
//
//	d   float16
//	qs  [32]uint8  low 8 bits of the 11-bit codes of groups of 8 values
//	qh  [8]uint16  for 32 values each: the 3 high bits of 4 codes, a 3-bit scale,
//	               and the sign of δ
const (
	BlockLenIQ1_S  = superBlock
	BlockSizeIQ1_S = 50
)

// QuantizeIQ1_S quantizes rows of src to IQ1_S, with the
// levels and scales of least weighted square error (iq1Split), moved to points of the
// codebook. The importance of a value is weight·√(2·mean(x²)+x²). There is no quantizing
// without weights: QuantizeIQ1_S panics if they are nil.
func QuantizeIQ1_S(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeIQ1_S", dst, src, rowLen, weights, BlockLenIQ1_S, BlockSizeIQ1_S)
	checkWeights("QuantizeIQ1_S", weights)
	iq1Book.load()
	var s iq1Block
	for i := 0; i < len(src); i += superBlock {
		quantizeIQ1_S(dst[i/superBlock*BlockSizeIQ1_S:][:BlockSizeIQ1_S], src[i:i+superBlock], blockWeights(weights, i, rowLen, superBlock), &s)
	}
}

// tinyIQ1_S is the magnitude below which a sub-block counts as zeros.
const tinyIQ1_S = 1e-12

func quantizeIQ1_S(dst []byte, x, weights []float32, s *iq1Block) {
	clear(dst)
	qs, qh := dst[2:34], dst[34:50]
	energy := float32(2 * sumSquares32(x) / superBlock)
	if !(energy <= maxFloat32) {
		return
	}
	var scales [8]float32
	var shifts [8]int
	for b := range scales {
		xb, wb := subBlock(x, weights, b, 32)
		s.weigh(xb, wb, energy)
		if peakMagnitude(xb) < tinyIQ1_S {
			continue
		}
		s.sort(xb)
		iq1SplitS(s, xb)
		if s.split.shift < 0 {
			continue
		}
		s.setLevels(32, 2)
		q := &iq1Values[s.split.shift]
		var points [4]uint16
		allExact := true
		for g := range points {
			var exact bool
			points[g], exact = s.nearest(xb, g, q)
			allExact = allExact && exact
		}
		scale := s.split.scale
		if !allExact {
			var fit weightedFit
			for g, p := range points {
				fit.add(xb[8*g:8*g+8], s.w[8*g:8*g+8], p, q, 1)
			}
			scale = fit.scale(scale)
		}
		var high uint16
		for g, p := range points {
			n := iq1Book.number[p]
			qs[4*b+g] = uint8(n)
			high |= n >> 8 << (3 * g)
		}
		binary.LittleEndian.PutUint16(qh[2*b:], high)
		scales[b], shifts[b] = scale, s.split.shift
	}
	var numbers [8]uint8
	d, ok := blockScale(numbers[:], scales[:], 7)
	if !ok {
		return
	}
	binary.LittleEndian.PutUint16(dst, halfBits(d*1.125))
	for b, n := range numbers {
		qh[2*b+1] |= n<<4 | uint8(shifts[b])<<7
	}
}

// A weightedFit adds up what the scale of least weighted square error depends on.
type weightedFit struct{ sumXQ, sumQ2 float32 }

// add adds a group of 8 values x of importance w, approximated by the point's levels
// of q, times factor.
func (f *weightedFit) add(x, w []float32, p uint16, q *[3]float32, factor float32) {
	for i, v := range x {
		q := q[p>>(2*i)&3] * factor
		wq := float32(w[i] * q)
		f.sumXQ += float32(wq * v)
		f.sumQ2 += float32(wq * q)
	}
}

// scale returns the scale, or otherwise if there is none that is positive.
func (f *weightedFit) scale(otherwise float32) float32 {
	if f.sumXQ > 0 && f.sumQ2 > 0 {
		return f.sumXQ / f.sumQ2
	}
	return otherwise
}

// DequantizeIQ1_S decodes blocks of IQ1_S, see [QuantizeIQ1_S]:
//
//	y = d·(2·scale+1) · (t ± ⅛)
func DequantizeIQ1_S(dst []float32, src []byte) {
	checkDequantize("DequantizeIQ1_S", dst, src, BlockLenIQ1_S, BlockSizeIQ1_S)
	decoded := iq1Book.loadPoints().decoded
	var e expansion
	for ; len(dst) > 0; dst, src = dst[BlockLenIQ1_S:], src[BlockSizeIQ1_S:] {
		d := halfValue(binary.LittleEndian.Uint16(src))
		qs := src[2:34]
		for b := range 8 {
			h := binary.LittleEndian.Uint16(src[34+2*b:])
			for i := range 4 {
				g := 4*b + i
				e.setGroup(g, iq1Group(decoded[uint16(qs[g])|h>>(3*i)&7<<8], h>>15))
			}
			e.setScale32(b, d*float32(2*(h>>12&7)+1)*0.125, 0)
		}
		e.expand(dst[:BlockLenIQ1_S])
	}
}
