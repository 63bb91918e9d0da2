//go:build !purego

package kernels

// q2KLanes has blocks of Q2_K in lanes.
type q2KLanes struct {
	superLanes
	fits         [8][2]affineLanes
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
	var room aligned[q2KLanes]
	b := room.get()
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

// subBlock returns the fits of sub-block s.
func (b *q2KLanes) subBlock(s int) *affineLanes { return &b.fits[s/2][s%2] }

// fit finds scales and mins for the blocks that were loaded from src[i:].
func (b *q2KLanes) fit(weights []float32, i, rowLen int) {
	if weights != nil {
		b.spread(1)
	}
	for pair := range b.fits {
		for s := 2 * pair; s < 2*pair+2; s++ {
			w := &b.w[s%2*16*b.lanes]
			if weights == nil {
				deviationWeightsLanes(w, b.column(16*s), 16, 0, b.lanes) // |x|
			} else {
				b.loadImportance(weights, i, rowLen, 16*s, 16)
				b.weigh(w, &b.sums[s], 16*s, 16)
			}
		}
		search := q2KSteps
		if weights != nil {
			search = q2KWeightedSteps
		}
		f := &b.fits[pair]
		search.fit(f, b.column(32*pair), &b.w[0], &b.scratch[0], 16, b.lanes)
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

// scaleWeighted is q2KSubBlocks.scaleWeighted of all blocks.
func (b *q2KLanes) scaleWeighted() {
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
	b.scales.fit(&d, tops15, 16, b.lanes)
	b.mins.fit(&dmin, tops15, 16, b.lanes)
	b.wild |= d.wild | dmin.wild
	for lane := range b.blocks {
		sub := &b.sub[lane]
		sub.d, sub.dmin = halfBits(d.scale[lane]), halfBits(dmin.scale[lane])
		for s := range b.sums {
			sub.packed[s] = uint8(int32(b.scales.levels[s*b.lanes+lane])) | uint8(int32(b.mins.levels[s*b.lanes+lane]))<<4
		}
	}
}

// quantize finds the levels of the blocks.
func (b *q2KLanes) quantize() {
	for s := range b.sums {
		f := b.subBlock(s)
		l := levelLanes{inverse: f.inverse, base: f.base}
		for lane := range b.blocks {
			d, m := b.sub[lane].factors(s)
			b.wild |= l.set(lane, d, m)
		}
		b.superLanes.quantize(&l, 16*s, 16, 0, q2KSteps.top)
	}
	b.unpack()
}
