//go:build !purego

package kernels

// q6KLanes has blocks of Q6_K in lanes.
type q6KLanes struct {
	superLanes
	fits   [16]symmetricLanes
	scales scalesQ6_K
}

// scalesQ6_K are the scales of the blocks: first those of each sub-block, as they will be
// multiplied with levels, and as they are stored.
type scalesQ6_K struct {
	factors    [16]perLane
	levels     [16][16]int32
	d          [16]uint16
	_          [16]uint16
	zero, wild uint32 // zero: lanes with nothing but zeros
}

// find is scaleQ6_K of the fits.
func (s *scalesQ6_K) find(fits *[16]symmetricLanes, lanes int) {
	if lanes == 16 {
		scaleQ6_KAVX512(&s.factors[0][0], &fits[0].scale[0])
	} else {
		scaleQ6_KAVX2(&s.factors[0][0], &fits[0].scale[0])
	}
}

// of returns the scales of the block in that lane.
func (s *scalesQ6_K) of(lane int) (scales [16]int8) {
	for i := range scales {
		scales[i] = int8(s.levels[i][lane])
	}
	return scales
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
			case b.scales.zero>>lane&1 != 0:
				clear(out)
			default:
				scales := b.scales.of(lane)
				storeQ6_K(out, b.scales.d[lane], &scales, &b.levels[lane])
			}
			i += BlockLenQ6_K
		}
	}
}

// fit finds the scales of the blocks that were loaded from src[i:].
func (b *q6KLanes) fit(weights []float32, i, rowLen int) {
	for s := range b.fits {
		if weights == nil {
			squareWeightsLanes(&b.w[0], b.column(16*s), 16, b.lanes)
		} else {
			rows := weightRows(weights, i+16*s, superBlock, b.blocks, 16, rowLen, b.lanes)
			transpose(&b.w[0], 4*b.lanes, &rows, 16, b.lanes)
		}
		steps32.fit(&b.fits[s], b.column(16*s), &b.w[0], &b.scratch[0], 16, b.lanes)
		b.wild |= b.fits[s].wild
	}
	b.scales.find(&b.fits, b.lanes)
	b.wild |= b.scales.wild
}

// quantize finds the levels of the blocks.
func (b *q6KLanes) quantize() {
	for s := range b.fits {
		l := levelLanes{d: b.scales.factors[s], inverse: b.fits[s].inverse}
		b.superLanes.quantize(&l, 16*s, 16, -32, 31)
	}
	b.unpack()
}
