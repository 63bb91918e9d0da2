//go:build !purego

package kernels

// q2KLanes has blocks of Q2_K in lanes.
type q2KLanes struct {
	superLanes
	fits         [16]affineLanes
	sums         [16]perLane
	scales, mins scaleLanes
	sub          [16]q2KSubBlocks
}

var (
	q2KSteps         = q2KSearch.lanes()
	q2KWeightedSteps = q2KWeightedSearch.lanes()
	tops15           = newPositiveTops(15)
)

func quantizeQ2_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var b q2KLanes
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.fit(weights, i, rowLen)
			b.quantize()
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenQ2_K*BlockSizeQ2_K:][:BlockSizeQ2_K]
			if b.isWild(lane) {
				quantizeQ2_KGeneric(out, src[i:][:BlockLenQ2_K], BlockLenQ2_K, blockWeights(weights, i, rowLen, BlockLenQ2_K))
			} else {
				b.sub[lane].store(out, &b.levels[lane])
			}
			i += BlockLenQ2_K
		}
	}
}

// fit finds scales and mins for the blocks that were loaded from src[i:].
func (b *q2KLanes) fit(weights []float32, i, rowLen int) {
	if weights != nil {
		b.spread(1)
	}
	for s := range b.fits {
		if weights == nil {
			deviationWeightsLanes(&b.w[0], b.column(16*s), 16, 0, b.lanes) // |x|
			q2KSteps.fit(&b.fits[s], b.column(16*s), &b.w[0], &b.scratch[0], 16, b.lanes)
		} else {
			b.loadImportance(weights, i, rowLen, 16*s, 16)
			b.weigh(&b.sums[s], 16*s, 16)
			q2KWeightedSteps.fit(&b.fits[s], b.column(16*s), &b.w[0], &b.scratch[0], 16, b.lanes)
		}
		b.wild |= b.fits[s].wild
	}
	if weights != nil {
		b.scaleWeighted()
		return
	}
	for lane := range b.blocks {
		sub := &b.sub[lane]
		for s := range b.fits {
			sub.fitted[s] = b.fits[s].scale[lane]
			sub.negativeMin[s] = -b.fits[s].min[lane]
		}
		sub.scaleUnweighted()
	}
}

// scaleWeighted is q2KSubBlocks.scaleWeighted of all blocks.
func (b *q2KLanes) scaleWeighted() {
	for s := range b.fits {
		f := &b.fits[s]
		var negativeMin perLane
		for lane, m := range &f.min {
			negativeMin[lane] = -m
		}
		b.scales.set(s, b.lanes, &f.scale, &b.sums[s])
		b.mins.set(s, b.lanes, &negativeMin, &b.sums[s])
	}
	var d, dmin positiveLanes
	b.scales.fit(&d, tops15, 16, b.lanes)
	b.mins.fit(&dmin, tops15, 16, b.lanes)
	b.wild |= d.wild | dmin.wild
	for lane := range b.blocks {
		sub := &b.sub[lane]
		sub.d, sub.dmin = halfBits(d.scale[lane]), halfBits(dmin.scale[lane])
		for s := range b.fits {
			sub.packed[s] = uint8(int32(b.scales.levels[s*b.lanes+lane])) | uint8(int32(b.mins.levels[s*b.lanes+lane]))<<4
		}
	}
}

// quantize finds the levels of the blocks.
func (b *q2KLanes) quantize() {
	for s := range b.fits {
		l := levelLanes{inverse: b.fits[s].inverse, base: b.fits[s].base}
		for lane := range b.blocks {
			d, m := b.sub[lane].factors(s)
			b.wild |= l.set(lane, d, m)
		}
		b.superLanes.quantize(&l, 16*s, 16, 0, q2KSteps.top)
	}
	b.unpack()
}
