//go:build !purego

package kernels

// q6KLanes has blocks of Q6_K in lanes.
type q6KLanes struct {
	superLanes
	fits   [16]symmetricLanes
	scales [16][16]int8 // by lane
	d      [16]uint16
	zero   uint32 // lanes with nothing but zeros
}

var steps32 = newSymmetricSteps(32)

func quantizeQ6_K(dst []byte, src []float32, rowLen int, weights []float32) {
	if !useLanes() {
		quantizeQ6_KGeneric(dst, src, rowLen, weights)
		return
	}
	var room aligned[q6KLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.fit(weights, i, rowLen)
			b.quantize()
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenQ6_K*BlockSizeQ6_K:][:BlockSizeQ6_K]
			switch {
			case b.isWild(lane):
				quantizeBlockQ6_K(out, src[i:][:BlockLenQ6_K], blockWeights(weights, i, rowLen, BlockLenQ6_K))
			case b.zero>>lane&1 != 0:
				clear(out)
			default:
				storeQ6_K(out, b.d[lane], &b.scales[lane], &b.levels[lane])
			}
			i += BlockLenQ6_K
		}
	}
}

// fit finds the scales of the blocks that were loaded from src[i:].
func (b *q6KLanes) fit(weights []float32, i, rowLen int) {
	for s := range b.fits {
		w := &b.w[0]
		if weights == nil {
			squareWeightsLanes(w, b.column(16*s), 16, b.lanes)
		} else {
			b.loadImportance(weights, i, rowLen, 16*s, 16)
			w = &b.importance[0]
		}
		steps32.fit(&b.fits[s], b.column(16*s), w, &b.scratch[0], 16, b.lanes)
		b.wild |= b.fits[s].wild
	}
	b.zero = 0
	for lane := range b.blocks {
		var fitted [16]float32
		for s := range fitted {
			fitted[s] = b.fits[s].scale[lane]
		}
		d, ok := scaleQ6_K(&b.scales[lane], &fitted)
		if b.d[lane] = d; !ok {
			b.zero |= 1 << lane
		}
	}
}

// quantize finds the levels of the blocks.
func (b *q6KLanes) quantize() {
	var d perLane
	for lane := range b.blocks {
		d[lane] = halfValue(b.d[lane])
	}
	for s := range b.fits {
		l := levelLanes{inverse: b.fits[s].inverse}
		for lane := range b.blocks {
			b.wild |= l.set(lane, d[lane]*float32(b.scales[lane][s]), 0)
		}
		b.superLanes.quantize(&l, 16*s, 16, -32, 31)
	}
	b.unpack()
}
