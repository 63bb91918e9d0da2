//go:build !purego

package kernels

import "encoding/binary"

var q41WeightedSteps = q41WeightedSearch.lanes()

func quantizeQ4_1Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	if !useLanes() {
		quantizeQ4_1WeightedGeneric(dst, src, rowLen, weights)
		return
	}
	var room aligned[blockLanes]
	b := room.get()
	for len(src) > 0 {
		n := rowGroup(len(src), rowLen)
		b.spreadRows(src[:n], rowLen)
		for i := 0; i < n; {
			var fit affineLanes
			if b.loadWeighted(src[:n], i, rowLen, weights); b.lanes > 0 {
				q41WeightedSteps.fitOne(&fit, &b.x[0], &b.w[0], &b.scratch[0], 32, b.lanes)
				b.wild |= fit.wild
				b.quantize(&fit.inverse, &fit.base, 0, 15)
			}
			for lane := range b.blocks {
				out := dst[i/BlockLenQ4_1*BlockSizeQ4_1:][:BlockSizeQ4_1]
				if b.isWild(lane) {
					quantizeBlockQ4_1Weighted(out, src[i:][:BlockLenQ4_1], blockWeights(weights, i, rowLen, BlockLenQ4_1), b.rowSigma2[i/rowLen])
				} else {
					b.storeQ4_1(out, lane, fit.scale[lane], fit.min[lane])
				}
				i += BlockLenQ4_1
			}
		}
		dst, src = dst[n/BlockLenQ4_1*BlockSizeQ4_1:], src[n:]
	}
}

// storeQ4_1 is storeQ4_1 of the block in that lane.
func (b *blockLanes) storeQ4_1(dst []byte, lane int, d, m float32) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	binary.LittleEndian.PutUint16(dst[2:], halfBits(m))
	b.storeNibbles(dst[4:BlockSizeQ4_1], lane)
}
