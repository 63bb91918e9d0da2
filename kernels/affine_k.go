package kernels

// superBlock is the number of values of a K-quant block (QK_K).
const superBlock = 256

// affineSubBlocks is what Q4_K and Q5_K have in common: eight sub-blocks of 32
// values ≈ scale·level − min, with scales and mins of six bits that are multiples
// of two half floats.
type affineSubBlocks struct {
	d, dmin    uint16   // half floats
	scale, min [8]uint8 // six bits
}

// scaleUnweighted rounds the scales and negated mins that were fitted to the 63
// multiples of 1/63 of the greatest.
func (b *affineSubBlocks) scaleUnweighted(scales, mins *[8]float32) {
	maxScale, maxMin := greatest(scales[:]), greatest(mins[:])
	var perScale, perMin float32
	if maxScale > 0 {
		perScale = 63 / maxScale
	}
	if maxMin > 0 {
		perMin = 63 / maxMin
	}
	for i := range b.scale {
		// Negative values wrap around before they are clamped, as in the reference.
		b.scale[i] = min(63, uint8(nearestInt(perScale*scales[i])))
		b.min[i] = min(63, uint8(nearestInt(perMin*mins[i])))
	}
	b.d = halfBits(maxScale / 63)
	b.dmin = halfBits(maxMin / 63)
}

// factors returns the scale and min of sub-block i as they are stored.
func (b *affineSubBlocks) factors(i int) (d, m float32) {
	return float32(halfValue(b.d) * float32(b.scale[i])), float32(halfValue(b.dmin) * float32(b.min[i]))
}

// packScales stores the eight scales and eight mins of six bits in 12 bytes: the
// first four of each in the low bits of bytes 0-3 and 4-7, the others' low halves
// in bytes 8-11 and their top two bits above the first eight.
func (b *affineSubBlocks) packScales(dst []byte) {
	for i := range 4 {
		dst[i] = b.scale[i] | b.scale[i+4]>>4<<6
		dst[i+4] = b.min[i] | b.min[i+4]>>4<<6
		dst[i+8] = b.scale[i+4]&15 | b.min[i+4]&15<<4
	}
}

// unpackScales is the inverse of packScales.
func (b *affineSubBlocks) unpackScales(src []byte) {
	for i := range 4 {
		b.scale[i] = src[i] & 63
		b.min[i] = src[i+4] & 63
		b.scale[i+4] = src[i+8]&15 | src[i]>>6<<4
		b.min[i+4] = src[i+8]>>4 | src[i+4]>>6<<4
	}
}
