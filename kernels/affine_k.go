package kernels

// superBlock is the number of values of a K-quant block (QK_K).
const superBlock = 256

// affineSubBlocks is what Q4_K and Q5_K have in common: eight sub-blocks of 32
// values ≈ scale·level − min, with scales and mins of six bits that are multiples
// of two half floats.
type affineSubBlocks struct {
	d, dmin     uint16   // half floats
	scale, min  [8]uint8 // six bits
	fits        [8]affineFit
	negativeMin [8]float32 // -fits[i].min, which is what is stored
	fitted      [8]float32 // fits[i].scale
}

// scaleUnweighted rounds scales and mins to the 63 multiples of 1/63 of the
// greatest.
func (b *affineSubBlocks) scaleUnweighted() {
	var maxScale, maxMin float32
	for i := range b.fits {
		if b.fitted[i] > maxScale {
			maxScale = b.fitted[i]
		}
		if b.negativeMin[i] > maxMin {
			maxMin = b.negativeMin[i]
		}
	}
	var perScale, perMin float32
	if maxScale > 0 {
		perScale = 63 / maxScale
	}
	if maxMin > 0 {
		perMin = 63 / maxMin
	}
	for i := range b.fits {
		// Negative values wrap around before they are clamped, as in the reference.
		b.scale[i] = min(63, uint8(nearestInt(perScale*b.fitted[i])))
		b.min[i] = min(63, uint8(nearestInt(perMin*b.negativeMin[i])))
	}
	b.d = halfBits(maxScale / 63)
	b.dmin = halfBits(maxMin / 63)
}

// scaleWeighted does the same with a search, in which sub-block i has the weight
// w[i].
func (b *affineSubBlocks) scaleWeighted(w []float32) {
	b.d = halfBits(fitPositive(b.scale[:], b.fitted[:], w, 63))
	b.dmin = halfBits(fitPositive(b.min[:], b.negativeMin[:], w, 63))
}

// fit finds scales and mins for the 256 values of x.
func (b *affineSubBlocks) fit(x, weights []float32, plain, weighted *affineSearch) {
	var w [32]float32
	var sums [8]float32
	sigma2 := float32(2 * sumSquares32(x) / superBlock)
	for i := range b.fits {
		xs := x[32*i:][:32]
		search := plain
		if weights == nil {
			deviationWeights(w[:], xs)
		} else {
			importanceWeights(w[:], xs, weights[32*i:], sigma2)
			sums[i] = sum(w[:])
			search = weighted
		}
		b.fits[i] = search.fit(xs, w[:])
		b.fitted[i] = b.fits[i].scale
		b.negativeMin[i] = -b.fits[i].min
	}
	if weights == nil {
		b.scaleUnweighted()
	} else {
		b.scaleWeighted(sums[:])
	}
}

// factors returns the scale and min of sub-block i as they are stored.
func (b *affineSubBlocks) factors(i int) (d, m float32) {
	return float32(halfValue(b.d) * float32(b.scale[i])), float32(halfValue(b.dmin) * float32(b.min[i]))
}

// quantize finds the levels of x under the stored scales. A sub-block whose scale
// was rounded to zero keeps the levels that the search gave it.
func (b *affineSubBlocks) quantize(levels *[superBlock]uint8, x []float32, top int32) {
	for i := range b.fits {
		xs, ls := x[32*i:][:32], levels[32*i:][:32]
		d, m := b.factors(i)
		for j, v := range xs {
			if d == 0 {
				ls[j] = b.fits[i].level(v, top)
			} else {
				ls[j] = uint8(nearestLevel((v+m)/d, 0, top))
			}
		}
	}
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
