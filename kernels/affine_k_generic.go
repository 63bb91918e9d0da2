package kernels

// fit finds scales and mins for the 256 values of x.
func (b *affineSubBlocks) fit(fits *[8]affineFit, x, weights []float32, plain, weighted *affineSearch) {
	var w [superBlock]float32
	var scales, mins, sums [8]float32
	sigma2 := float32(2 * sumSquares32(x) / superBlock)
	search := plain
	if weights != nil {
		search = weighted
	}
	for i := range sums {
		ws, xs := w[32*i:][:32], x[32*i:][:32]
		if weights == nil {
			deviationWeights(ws, xs)
		} else {
			importanceWeights(ws, xs, weights[32*i:], sigma2)
			sums[i] = sum(ws)
		}
	}
	search.fitGroups(fits[:], x, w[:])
	for i, f := range fits {
		scales[i], mins[i] = f.scale, -f.min
	}
	if weights == nil {
		b.scaleUnweighted(&scales, &mins)
		return
	}
	b.d = halfBits(fitPositive(b.scale[:], scales[:], sums[:], 63))
	b.dmin = halfBits(fitPositive(b.min[:], mins[:], sums[:], 63))
}

// quantize finds the levels of x under the stored scales. A sub-block whose scale
// was rounded to zero keeps the levels that the search gave it.
func (b *affineSubBlocks) quantize(levels *[superBlock]uint8, x []float32, fits *[8]affineFit, top int32) {
	for i := range fits {
		d, m := b.factors(i)
		fits[i].quantize(levels[32*i:][:32], x[32*i:], d, m, top)
	}
}
