//go:build !purego

package kernels

// affineKLanes has blocks of Q4_K or Q5_K in lanes.
type affineKLanes struct {
	superLanes
	fits         [4][2]affineLanes
	sums         [8]perLane
	scales, mins scaleLanes
	sub          [16]affineSubBlocks
}

var tops63 = newPositiveTops(63)

// subBlock returns the fits of sub-block s.
func (b *affineKLanes) subBlock(s int) *affineLanes { return &b.fits[s/2][s%2] }

// fit finds scales and mins for the blocks that were loaded from src[i:].
func (b *affineKLanes) fit(weights []float32, i, rowLen int, plain, weighted *affineSteps) {
	if weights != nil {
		b.spread(2)
	}
	for pair := range b.fits {
		for s := 2 * pair; s < 2*pair+2; s++ {
			w := &b.w[s%2*32*b.lanes]
			if weights == nil {
				deviationWeightsLanes(w, b.column(32*s), 32, 1./32, b.lanes)
			} else {
				b.loadImportance(weights, i, rowLen, 32*s, 32)
				b.weigh(w, &b.sums[s], 32*s, 32)
			}
		}
		search := plain
		if weights != nil {
			search = weighted
		}
		f := &b.fits[pair]
		search.fit(f, b.column(64*pair), &b.w[0], &b.scratch[0], 32, b.lanes)
		b.wild |= f[0].wild | f[1].wild
	}
	if weights != nil {
		b.scaleWeighted()
		return
	}
	for lane := range b.blocks {
		sub := &b.sub[lane]
		for s := range sub.fitted {
			f := b.subBlock(s)
			sub.fitted[s], sub.negativeMin[s] = f.scale[lane], -f.min[lane]
		}
		sub.scaleUnweighted()
	}
}

// scaleWeighted is affineSubBlocks.scaleWeighted of all blocks.
func (b *affineKLanes) scaleWeighted() {
	for s := range b.sums {
		f := b.subBlock(s)
		var negativeMin perLane
		for lane, m := range &f.min {
			negativeMin[lane] = -m
		}
		b.scales.set(s, b.lanes, &f.scale, &b.sums[s])
		b.mins.set(s, b.lanes, &negativeMin, &b.sums[s])
	}
	var d, dmin positiveLanes
	b.scales.fit(&d, tops63, 8, b.lanes)
	b.mins.fit(&dmin, tops63, 8, b.lanes)
	b.wild |= d.wild | dmin.wild
	for lane := range b.blocks {
		sub := &b.sub[lane]
		sub.d, sub.dmin = halfBits(d.scale[lane]), halfBits(dmin.scale[lane])
		for s := range b.sums {
			sub.scale[s] = uint8(int32(b.scales.levels[s*b.lanes+lane]))
			sub.min[s] = uint8(int32(b.mins.levels[s*b.lanes+lane]))
		}
	}
}

// quantize finds the levels of the blocks.
func (b *affineKLanes) quantize(top float32) {
	for s := range b.sums {
		f := b.subBlock(s)
		l := levelLanes{inverse: f.inverse, base: f.base}
		for lane := range b.blocks {
			d, m := b.sub[lane].factors(s)
			b.wild |= l.set(lane, d, m)
		}
		b.superLanes.quantize(&l, 32*s, 32, 0, top)
	}
	b.unpack()
}
