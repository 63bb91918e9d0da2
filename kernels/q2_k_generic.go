package kernels

func quantizeQ2_KGeneric(dst []byte, src []float32, rowLen int, weights []float32) {
	for i := 0; i < len(src); i += BlockLenQ2_K {
		x := src[i:][:BlockLenQ2_K]
		var b q2KSubBlocks
		var fits [16]affineFit
		var levels [superBlock]uint8
		b.fit(&fits, x, blockWeights(weights, i, rowLen, BlockLenQ2_K))
		for j := range fits {
			d, m := b.factors(j)
			fits[j].quantize(levels[16*j:][:16], x[16*j:], d, m, q2KSearch.top)
		}
		b.store(dst[i/BlockLenQ2_K*BlockSizeQ2_K:], &levels)
	}
}

// fit finds scales and mins for the 256 values of x.
func (b *q2KSubBlocks) fit(fits *[16]affineFit, x, weights []float32) {
	var w, scales, mins, sums [16]float32
	sigma2 := float32(sumSquares32(x) / superBlock)
	for i := range fits {
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
		fits[i] = search.fit(xs, w[:])
		scales[i], mins[i] = fits[i].scale, -fits[i].min
	}
	if weights == nil {
		b.scaleUnweighted(&scales, &mins)
		return
	}
	var scale, min [16]uint8
	b.d = halfBits(fitPositive(scale[:], scales[:], sums[:], 15))
	b.dmin = halfBits(fitPositive(min[:], mins[:], sums[:], 15))
	for i := range b.packed {
		b.packed[i] = scale[i] | min[i]<<4
	}
}
