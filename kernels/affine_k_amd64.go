//go:build !purego

package kernels

// affineKLanes has blocks of Q4_K or Q5_K in lanes.
type affineKLanes struct {
	affineSuperLanes
	sub [16]affineSubBlocks // by lane
}

var tops63 = newPositiveTops(63)

func affineKShape(plain, weighted *affineSearch) *affineShape {
	return &affineShape{8, 32, plain.lanes(), weighted.lanes(), 1. / 32, 2, tops63}
}

// run quantizes the blocks that were loaded from src[i:].
func (b *affineKLanes) run(t *affineShape, weights []float32, i, rowLen int) {
	b.fit(t, weights, i, rowLen)
	if weights == nil {
		b.scaleUnweighted()
	} else {
		b.scaleWeighted(t)
	}
	for s := range t.subBlocks {
		var d, m perLane
		for lane := range b.blocks {
			d[lane], m[lane] = b.sub[lane].factors(s)
		}
		b.quantizeSub(t, s, &d, &m)
	}
	b.unpack()
}

func (b *affineKLanes) scaleUnweighted() {
	for lane := range b.blocks {
		var scales, mins [8]float32
		for s := range scales {
			f := b.fitted(s)
			scales[s], mins[s] = f.scale[lane], -f.min[lane]
		}
		b.sub[lane].scaleUnweighted(&scales, &mins)
	}
}

func (b *affineKLanes) scaleWeighted(t *affineShape) {
	d, dmin := b.fitScales(t)
	for lane := range b.blocks {
		sub := &b.sub[lane]
		sub.d, sub.dmin = halfBits(d[lane]), halfBits(dmin[lane])
		for s := range sub.scale {
			sub.scale[s], sub.min[s] = b.scales.level(s, lane, b.lanes), b.mins.level(s, lane, b.lanes)
		}
	}
}
