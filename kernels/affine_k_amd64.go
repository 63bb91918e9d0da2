//go:build !purego

package kernels

// affineKLanes quantizes the blocks of Q4_K and Q5_K in lanes.
type affineKLanes struct {
	x                      [superBlock * 16]float32
	w, importance, scratch [32 * 16]float32
	fits                   [8]affineLanes
	sums                   [8]perLane
	packed                 [superBlock / 4 * 16]uint32
	levels                 [16][superBlock]uint8
	blocks                 [16]affineSubBlocks
}

// fit finds scales and mins for blocks of src from i on, and returns the wild lanes.
func (b *affineKLanes) fit(src []float32, i, blocks, rowLen int, weights []float32, plain, weighted *affineSteps, lanes int) (wild uint32) {
	loadColumns(&b.x[0], src, i, superBlock, blocks, superBlock, lanes)
	var sigma2 perLane
	if weights != nil {
		sumSquaresLanes(&sigma2, &b.x[0], superBlock, lanes)
		for j := range sigma2 {
			sigma2[j] = 2 * sigma2[j] / superBlock
		}
	}
	for s := range b.fits {
		x := &b.x[32*s*lanes]
		if weights == nil {
			deviationWeightsLanes(&b.w[0], x, 32, 1./32, lanes)
			plain.fit(&b.fits[s], x, &b.w[0], &b.scratch[0], 32, lanes)
		} else {
			loadWeights(&b.importance[0], weights, i+32*s, superBlock, blocks, 32, rowLen, lanes)
			importanceWeightsLanes(&b.w[0], &b.sums[s], x, &b.importance[0], &sigma2, 32, lanes)
			weighted.fit(&b.fits[s], x, &b.w[0], &b.scratch[0], 32, lanes)
		}
		wild |= b.fits[s].wild
	}
	for lane := range blocks {
		block := &b.blocks[lane]
		for s := range b.fits {
			block.fitted[s] = b.fits[s].scale[lane]
			block.negativeMin[s] = -b.fits[s].min[lane]
		}
		if weights == nil {
			block.scaleUnweighted()
			continue
		}
		var sums [8]float32
		for s := range sums {
			sums[s] = b.sums[s][lane]
		}
		block.scaleWeighted(sums[:])
	}
	return wild
}

// quantize finds the levels of the blocks, and returns the wild lanes.
func (b *affineKLanes) quantize(blocks int, top float32, lanes int) (wild uint32) {
	for s := range b.fits {
		l := levelLanes{inverse: b.fits[s].inverse, base: b.fits[s].base}
		for lane := range blocks {
			block := &b.blocks[lane]
			d := halfValue(block.d) * float32(block.scale[s])
			m := halfValue(block.dmin) * float32(block.min[s])
			wild |= l.set(lane, d, m)
		}
		l.quantize(&b.packed[8*s*lanes], &b.x[32*s*lanes], 32, 0, top, lanes)
		wild |= l.wild
	}
	unpackLevels(&b.levels, &b.packed, superBlock/4, lanes)
	return wild
}
