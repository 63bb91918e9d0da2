//go:build !purego

package kernels

// affineSuperLanes has a batch of super-blocks in the lanes whose sub-blocks have scales
// and mins: Q2_K, Q4_K and Q5_K.
type affineSuperLanes struct {
	superLanes
	fits         [8][2]affineLanes
	sums         [16]perLane // of the weights of each sub-block
	scales, mins scaleLanes
}

// affineShape is what these types differ in.
type affineShape struct {
	subBlocks, length int
	plain, weighted   *affineSteps
	deviation         float32 // perN of deviationWeights
	spread            float32 // sigma2 is that times the mean square
	tops              *positiveTops
}

// fitted returns the fits of sub-block s.
func (b *affineSuperLanes) fitted(s int) *affineLanes { return &b.fits[s/2][s%2] }

// fit finds scales and mins for the blocks that were loaded from src[i:].
func (b *affineSuperLanes) fit(t *affineShape, weights []float32, i, rowLen int) {
	search := t.plain
	if weights != nil {
		search = t.weighted
		b.spreadBlocks(t.spread)
	}
	for pair := range t.subBlocks / 2 {
		for s := 2 * pair; s < 2*pair+2; s++ {
			w := &b.w[s%2*t.length*b.lanes]
			if weights == nil {
				deviationWeightsLanes(w, b.column(s*t.length), t.length, t.deviation, b.lanes)
			} else {
				b.weigh(w, &b.sums[s], weights, i, rowLen, s*t.length, t.length)
			}
		}
		f := &b.fits[pair]
		search.fit(f, b.column(2*pair*t.length), &b.w[0], &b.scratch[0], t.length, b.lanes)
		b.wild |= f[0].wild | f[1].wild
	}
}

// fitScales is fitPositive of the scales and negated mins of all blocks. Their levels are
// in b.scales and b.mins then.
func (b *affineSuperLanes) fitScales(t *affineShape) (d, dmin perLane) {
	for s := range t.subBlocks {
		f := b.fitted(s)
		var negated perLane
		for lane, m := range &f.min {
			negated[lane] = -m
		}
		b.scales.set(s, b.lanes, &f.scale, &b.sums[s])
		b.mins.set(s, b.lanes, &negated, &b.sums[s])
	}
	var fits [2]positiveLanes
	b.scales.fit(&fits[0], t.tops, t.subBlocks, b.lanes)
	b.mins.fit(&fits[1], t.tops, t.subBlocks, b.lanes)
	b.wild |= fits[0].wild | fits[1].wild
	return fits[0].scale, fits[1].scale
}

// quantizeSub finds the levels of sub-block s under what is stored for it in each lane.
func (b *affineSuperLanes) quantizeSub(t *affineShape, s int, d, m *perLane) {
	f := b.fitted(s)
	l := levelLanes{inverse: f.inverse, base: f.base}
	for lane := range b.blocks {
		b.wild |= l.set(lane, d[lane], m[lane])
	}
	b.quantize(&l, s*t.length, t.length, 0, t.plain.top)
}
