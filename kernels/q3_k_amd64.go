//go:build !purego

package kernels

// q3KLanes has blocks of Q3_K in lanes.
type q3KLanes struct {
	superLanes
	plain    [8]descentLanes // two sub-blocks each
	weighted [16]symmetricLanes
	columns  scaleLanes
	scales   [16][16]uint8 // by lane
	d        [16]uint16
}

var steps4 = newSymmetricSteps(4)

func quantizeQ3_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[q3KLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			if weights == nil {
				b.fit()
			} else {
				b.fitWeighted(weights, i, rowLen)
			}
			b.quantize(weights != nil)
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenQ3_K*BlockSizeQ3_K:][:BlockSizeQ3_K]
			if b.isWild(lane) {
				quantizeQ3_KGeneric(out, src[i:][:BlockLenQ3_K], BlockLenQ3_K, blockWeights(weights, i, rowLen, BlockLenQ3_K))
			} else {
				storeQ3_K(out, b.d[lane], &b.scales[lane], &b.levels[lane])
			}
			i += BlockLenQ3_K
		}
	}
}

// fit finds the scales of the blocks.
func (b *q3KLanes) fit() {
	for s := range b.plain {
		squareWeightsLanes(&b.w[0], b.column(32*s), 32, b.lanes)
		b.plain[s].fit(b.column(32*s), &b.w[0], &b.w[32*b.lanes], &b.scratch[0], 4, b.lanes)
		b.wild |= b.plain[s].wild
	}
	for lane := range b.blocks {
		var fitted [16]float32
		for s := range fitted {
			fitted[s] = b.plain[s/2].scale[s%2][lane]
		}
		b.d[lane] = scaleUnweightedQ3_K(&b.scales[lane], &fitted)
	}
}

// fitWeighted finds the scales of the blocks that were loaded from src[i:].
func (b *q3KLanes) fitWeighted(weights []float32, i, rowLen int) {
	b.spreadBlocks(2)
	for s := range b.weighted {
		f := &b.weighted[s]
		var sum perLane
		b.loadImportance(weights, i, rowLen, 16*s, 16)
		b.weigh(&b.w[0], &sum, 16*s, 16)
		steps4.fit(f, b.column(16*s), &b.w[0], &b.scratch[0], 16, b.lanes)
		b.wild |= f.wild
		b.columns.set(s, b.lanes, &f.scale, &sum)
	}
	var d symmetricLanes
	steps32.fit(&d, &b.columns.values[0], &b.columns.w[0], &b.columns.levels[0], 16, b.lanes)
	b.wild |= d.wild
	for lane := range b.blocks {
		f := symmetricFit{d.scale[lane], d.inverse[lane]}
		b.d[lane] = halfBits(f.scale)
		for s := range b.weighted {
			b.scales[lane][s] = f.level(b.weighted[s].scale[lane], 32)
		}
	}
}

// quantize finds the levels of the blocks.
func (b *q3KLanes) quantize(weighted bool) {
	var d perLane
	for lane := range b.blocks {
		d[lane] = halfValue(b.d[lane])
	}
	for s := range b.weighted {
		var l levelLanes
		if weighted {
			l.inverse = b.weighted[s].inverse
		} else {
			l.inverse = b.plain[s/2].nonzero[s%2]
		}
		for lane := range b.blocks {
			d := d[lane] * float32(int32(b.scales[lane][s])-32)
			b.wild |= l.set(lane, d, 0)
			if d == 0 && !weighted && l.inverse[lane] != 0 {
				b.wild |= 1 << lane // the levels of the search are wanted, which are gone
			}
		}
		b.superLanes.quantize(&l, 16*s, 16, -4, 3)
	}
	b.unpack()
}
