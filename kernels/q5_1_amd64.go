//go:build !purego

package kernels

import "encoding/binary"

var q51WeightedSteps = q51WeightedSearch.lanes()

func quantizeQ5_1Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	if !useLanes() {
		quantizeQ5_1WeightedGeneric(dst, src, rowLen, weights)
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
				q51WeightedSteps.fitOne(&fit, &b.x[0], &b.w[0], &b.scratch[0], 32, b.lanes)
				b.wild |= fit.wild
				b.quantize(&fit.inverse, &fit.base, 0, 31)
			}
			for lane := range b.blocks {
				out := dst[i/BlockLenQ5_1*BlockSizeQ5_1:][:BlockSizeQ5_1]
				if b.isWild(lane) {
					quantizeBlockQ5_1Weighted(out, src[i:][:BlockLenQ5_1], blockWeights(weights, i, rowLen, BlockLenQ5_1), b.rowSigma2[i/rowLen])
				} else {
					b.storeQ5_1(out, lane, fit.scale[lane], fit.min[lane])
				}
				i += BlockLenQ5_1
			}
		}
		dst, src = dst[n/BlockLenQ5_1*BlockSizeQ5_1:], src[n:]
	}
}

// storeQ5_1 is storeQ5_1 of the block in that lane.
func (b *blockLanes) storeQ5_1(dst []byte, lane int, d, m float32) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	binary.LittleEndian.PutUint16(dst[2:], halfBits(m))
	binary.LittleEndian.PutUint32(dst[4:], b.fifths[lane])
	b.storeNibbles(dst[8:BlockSizeQ5_1], lane)
}
