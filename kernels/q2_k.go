package kernels

import "encoding/binary"

// Q2_K stores 256 values in 84 bytes, 2.625 bits a value: 16 bytes with a scale
// (low) and a min (high) of four bits each, 256 levels of two bits, and two half
// floats d and dmin, so that for the 16 values of sub-block i
//
//	x ≈ d·scale[i]·level − dmin·min[i]
//
// Levels lie in groups of 128: byte j holds elements j, j+32, j+64 and j+96.
const (
	BlockLenQ2_K  = superBlock
	BlockSizeQ2_K = 84
)

var (
	q2KSearch         = affineSearch{top: 3, start: -0.5, step: 0.1, steps: 15, absolute: true}
	q2KWeightedSearch = affineSearch{top: 3, start: -0.9, step: 0.05, steps: 36}
)

// QuantizeQ2_K quantizes rows of src to Q2_K. Each sub-block's scale and min come
// from a search (affineSearch) for the least Σ|x|·|error|, or, if there are weights,
// the least Σ importance·√(Σx²/256 + x²)·error²; then the scales and mins are
// rounded to four bits, and the levels taken anew.
func QuantizeQ2_K(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeQ2_K", dst, src, rowLen, weights, BlockLenQ2_K, BlockSizeQ2_K)
	quantizeQ2_K(dst, src, rowLen, weights)
}

// DequantizeQ2_K computes the values of Q2_K blocks, rounding as DequantizeQ4_K does.
func DequantizeQ2_K(dst []float32, src []byte) {
	checkDequantize("DequantizeQ2_K", dst, src, BlockLenQ2_K, BlockSizeQ2_K)
	for ; len(src) > 0; dst, src = dst[BlockLenQ2_K:], src[BlockSizeQ2_K:] {
		var e expansion
		d := halfValue(binary.LittleEndian.Uint16(src[80:]))
		dmin := halfValue(binary.LittleEndian.Uint16(src[82:]))
		for i, s := range src[:16] {
			e.scale[i] = d * float32(s&15)
			e.min[i] = float32(dmin * float32(s>>4))
		}
		unpackPairs(e.levels[:], src[16:80], 0)
		e.expand(dst[:BlockLenQ2_K])
	}
}

// q2KSubBlocks is a Q2_K block without its levels.
type q2KSubBlocks struct {
	d, dmin uint16    // half floats
	packed  [16]uint8 // scale and min of four bits
}

// scaleUnweighted rounds the scales and negated mins that were fitted to multiples of
// 1/15 of the greatest.
func (b *q2KSubBlocks) scaleUnweighted(scales, mins *[16]float32) {
	b.packed = [16]uint8{}
	maxScale, maxMin := greatest(scales[:]), greatest(mins[:])
	if maxScale > 0 {
		perScale := 15 / maxScale
		for i, s := range scales {
			b.packed[i] = uint8(nearestInt(perScale * s))
		}
	}
	if maxMin > 0 {
		perMin := 15 / maxMin
		for i, m := range mins {
			b.packed[i] |= uint8(nearestInt(perMin*m) << 4)
		}
	}
	b.d = halfBits(maxScale / 15)
	b.dmin = halfBits(maxMin / 15)
}

// factors returns the scale and min of sub-block i as they are stored.
func (b *q2KSubBlocks) factors(i int) (d, m float32) {
	return float32(halfValue(b.d) * float32(b.packed[i]&15)), float32(halfValue(b.dmin) * float32(b.packed[i]>>4))
}

func (b *q2KSubBlocks) store(dst []byte, levels *[superBlock]uint8) {
	copy(dst, b.packed[:])
	packPairs(dst[16:80], levels[:], 0)
	binary.LittleEndian.PutUint16(dst[80:], b.d)
	binary.LittleEndian.PutUint16(dst[82:], b.dmin)
}
