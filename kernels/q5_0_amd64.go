//go:build !purego

package kernels

import "encoding/binary"

var steps16 = newSymmetricSteps(16)

func quantizeQ5_0Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	if !useLanes() {
		quantizeQ5_0WeightedGeneric(dst, src, rowLen, weights)
		return
	}
	var room aligned[blockLanes]
	b := room.get()
	for len(src) > 0 {
		n := rowGroup(len(src), rowLen)
		b.spreadRows(src[:n], rowLen)
		for i := 0; i < n; {
			var fit symmetricLanes
			if b.loadWeighted(src[:n], i, rowLen, weights); b.lanes > 0 {
				steps16.fit(&fit, &b.x[0], &b.w[0], &b.scratch[0], 32, b.lanes)
				b.wild |= fit.wild
				b.quantize(&fit.inverse, &noBase, -16, 15)
			}
			for lane := range b.blocks {
				out := dst[i/BlockLenQ5_0*BlockSizeQ5_0:][:BlockSizeQ5_0]
				if b.isWild(lane) {
					quantizeBlockQ5_0Weighted(out, src[i:][:BlockLenQ5_0], blockWeights(weights, i, rowLen, BlockLenQ5_0), b.rowSigma2[i/rowLen])
				} else {
					b.storeQ5_0(out, lane, fit.scale[lane])
				}
				i += BlockLenQ5_0
			}
		}
		dst, src = dst[n/BlockLenQ5_0*BlockSizeQ5_0:], src[n:]
	}
}

// storeQ5_0 is storeQ5_0 of the block in that lane.
func (b *blockLanes) storeQ5_0(dst []byte, lane int, d float32) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	binary.LittleEndian.PutUint32(dst[2:], b.fifths[lane])
	b.storeNibbles(dst[6:BlockSizeQ5_0], lane)
}
