//go:build !purego

package kernels

// q2KLanes has blocks of Q2_K in lanes.
type q2KLanes struct {
	affineSuperLanes
	sub [16]q2KSubBlocks // by lane
}

// q2KShape weighs errors by |x|, where there is no importance: a deviation of 0 does that.
var q2KShape = &affineShape{16, 16, q2KSearch.lanes(), q2KWeightedSearch.lanes(), 0, 1, newPositiveTops(15)}

func quantizeQ2_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[q2KLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.run(weights, i, rowLen)
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

// run quantizes the blocks that were loaded from src[i:].
func (b *q2KLanes) run(weights []float32, i, rowLen int) {
	b.fit(q2KShape, weights, i, rowLen)
	if weights == nil {
		b.scaleUnweighted()
	} else {
		b.scaleWeighted()
	}
	for s := range q2KShape.subBlocks {
		var d, m perLane
		for lane := range b.blocks {
			d[lane], m[lane] = b.sub[lane].factors(s)
		}
		b.quantizeSub(q2KShape, s, &d, &m)
	}
	b.unpack()
}

func (b *q2KLanes) scaleUnweighted() {
	for lane := range b.blocks {
		var scales, mins [16]float32
		for s := range scales {
			f := b.fitted(s)
			scales[s], mins[s] = f.scale[lane], -f.min[lane]
		}
		b.sub[lane].scaleUnweighted(&scales, &mins)
	}
}

func (b *q2KLanes) scaleWeighted() {
	d, dmin := b.fitScales(q2KShape)
	for lane := range b.blocks {
		sub := &b.sub[lane]
		sub.d, sub.dmin = halfBits(d[lane]), halfBits(dmin[lane])
		for s := range sub.packed {
			sub.packed[s] = b.scales.level(s, lane, b.lanes) | b.mins.level(s, lane, b.lanes)<<4
		}
	}
}
