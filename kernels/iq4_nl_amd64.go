//go:build !purego

package kernels

import "encoding/binary"

func quantizeIQ4_NL(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[blockLanes]
	b := room.get()
	var fit iq4Lanes
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			fit.run(b, weights, i, rowLen)
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenIQ4_NL*BlockSizeIQ4_NL:][:BlockSizeIQ4_NL]
			if b.isWild(lane) {
				quantizeIQ4_NLGeneric(out, src[i:][:BlockLenIQ4_NL], BlockLenIQ4_NL, blockWeights(weights, i, rowLen, BlockLenIQ4_NL))
			} else {
				b.storeIQ4_NL(out, lane, fit.scale[lane])
			}
			i += BlockLenIQ4_NL
		}
	}
}

// run finds the scales and levels of the blocks that were loaded from src[i:].
func (f *iq4Lanes) run(b *blockLanes, weights []float32, i, rowLen int) {
	if weights == nil {
		squareWeightsLanes(&b.w[0], &b.x[0], 32, b.lanes)
	} else {
		b.sigma2 = perLane{}
		sumSquaresLanes(&b.sigma2, &b.x[0], 32, b.lanes)
		for lane, s := range &b.sigma2 {
			b.sigma2[lane] = 2 * s / BlockLenIQ4_NL
		}
		b.weigh(weights, i, rowLen)
	}
	f.fit(&b.x[0], &b.w[0], 32, b.lanes)
	b.wild |= f.wild
	var inverse perLane
	for lane := range b.blocks {
		r, wild := wildReciprocal(f.scale[lane], lane)
		inverse[lane] = r
		b.wild |= wild
	}
	levelsIQ4(&b.packed[0], &b.x[0], &inverse, 32, b.lanes)
	b.pack()
}

// storeIQ4_NL is storeIQ4_NL of the block in that lane.
func (b *blockLanes) storeIQ4_NL(dst []byte, lane int, d float32) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	b.storeNibbles(dst[2:BlockSizeIQ4_NL], lane)
}
