//go:build !purego

package kernels

// q3KLanes has blocks of Q3_K in lanes.
type q3KLanes struct {
	superLanes
	plain    [16]settledLanes
	open     [32]q3KGroup // sub-blocks to be done by descent
	opened   int          // how many these are
	weighted [16]symmetricLanes
	columns  scaleLanes
	scales   [16][16]uint8 // by lane
	d        [16]uint16
}

// q3KGroup is sub-block sub of the block in that lane.
type q3KGroup struct{ lane, sub int }

var steps4 = newSymmetricSteps(4)

func quantizeQ3_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[q3KLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			if weights == nil {
				b.fit(src[i:])
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

// fit finds the scales of the blocks that were loaded from src.
func (b *q3KLanes) fit(src []float32) {
	for s := range b.plain {
		f := &b.plain[s]
		f.find(b.column(16*s), 4, b.lanes)
		b.wild |= f.wild
		for lane := range b.blocks {
			if f.open>>lane&1 == 0 {
				continue
			}
			b.open[b.opened] = q3KGroup{lane, s}
			if b.opened++; b.opened == 2*b.lanes {
				b.descend(src)
			}
		}
	}
	if b.opened > 0 {
		b.descend(src)
	}
	for lane := range b.blocks {
		var fitted [16]float32
		for s := range fitted {
			fitted[s] = b.plain[s].scale[lane]
		}
		b.d[lane] = scaleUnweightedQ3_K(&b.scales[lane], &fitted)
	}
}

// descend finds the scales of the open sub-blocks, and closes them: few sub-blocks take
// more than a look, but each of them would make all lanes wait for several passes.
func (b *q3KLanes) descend(src []float32) {
	n := 16 * b.lanes
	x, w, products, levels := &b.scratch[2*n], &b.w[0], &b.w[2*n], &b.scratch[0]
	for way := range 2 {
		var rows [16]*float32
		for j := range b.lanes {
			g := b.open[min(way*b.lanes+j, b.opened-1)]
			rows[j] = &src[g.lane*superBlock+16*g.sub:][:16][0]
		}
		transpose(&b.scratch[(2+way)*n], 4*b.lanes, &rows, 16, b.lanes)
	}
	squareWeightsLanes(w, x, 32, b.lanes)
	var f descentLanes
	f.fit(x, w, products, levels, 4, b.lanes)
	for i, g := range b.open[:b.opened] {
		way, lane := i/b.lanes, i%b.lanes
		b.plain[g.sub].scale[g.lane] = f.scale[way][lane]
		b.wild |= f.wild >> lane & 1 << g.lane
	}
	b.opened = 0
}

// fitWeighted finds the scales of the blocks that were loaded from src[i:].
func (b *q3KLanes) fitWeighted(weights []float32, i, rowLen int) {
	b.spreadBlocks(2)
	for s := range b.weighted {
		f := &b.weighted[s]
		var sum perLane
		b.weigh(&b.w[0], &sum, weights, i, rowLen, 16*s, 16)
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
			l.inverse = b.plain[s].nonzero
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
