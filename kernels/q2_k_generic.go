package kernels

func quantizeQ2_KGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenQ2_K {
		x := src[i:][:BlockLenQ2_K]
		var b q2KSubBlocks
		var levels [superBlock]uint8
		b.fit(x, blockWeights(weights, i, rowLen, BlockLenQ2_K))
		b.quantize(&levels, x)
		b.store(dst[i/BlockLenQ2_K*BlockSizeQ2_K:], &levels)
	}
}

// fit finds scales and mins for the 256 values of x.
func (b *q2KSubBlocks) fit(x, weights []float32) {
	var w, sums [16]float32
	sigma2 := float32(sumSquares32(x) / superBlock)
	for i := range b.fits {
		xs := x[16*i:][:16]
		search := &q2KSearch
		if weights == nil {
			for j, v := range xs {
				w[j] = abs32(v)
			}
		} else {
			importanceWeights(w[:], xs, weights[16*i:], sigma2)
			sums[i] = sum(w[:])
			search = &q2KWeightedSearch
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

// quantize finds the levels of x under the stored scales. A sub-block whose scale
// was rounded to zero keeps the levels that the search gave it.
func (b *q2KSubBlocks) quantize(levels *[superBlock]uint8, x []float32) {
	for i := range b.fits {
		xs, ls := x[16*i:][:16], levels[16*i:][:16]
		d, m := b.factors(i)
		for j, v := range xs {
			if d == 0 {
				ls[j] = b.fits[i].level(v, q2KSearch.top)
			} else {
				ls[j] = uint8(nearestLevel((v+m)/d, 0, q2KSearch.top))
			}
		}
	}
}
