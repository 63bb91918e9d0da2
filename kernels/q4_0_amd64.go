//go:build !purego

package kernels

import "encoding/binary"

var steps8 = newSymmetricSteps(8)

func quantizeQ4_0Weighted(dst []byte, src []float32, rowLen int, weights []float32) {
	if !useLanes() {
		quantizeQ4_0WeightedGeneric(dst, src, rowLen, weights)
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
				steps8.fit(&fit, &b.x[0], &b.w[0], &b.scratch[0], 32, b.lanes)
				b.wild |= fit.wild
				b.quantize(&fit.inverse, &noBase, -8, 7)
			}
			for lane := range b.blocks {
				out := dst[i/BlockLenQ4_0*BlockSizeQ4_0:][:BlockSizeQ4_0]
				if b.isWild(lane) {
					quantizeBlockQ4_0Weighted(out, src[i:][:BlockLenQ4_0], blockWeights(weights, i, rowLen, BlockLenQ4_0), b.rowSigma2[i/rowLen])
				} else {
					b.storeQ4_0(out, lane, fit.scale[lane])
				}
				i += BlockLenQ4_0
			}
		}
		dst, src = dst[n/BlockLenQ4_0*BlockSizeQ4_0:], src[n:]
	}
}

// storeQ4_0 is storeQ4_0 of the block in that lane.
func (b *blockLanes) storeQ4_0(dst []byte, lane int, d float32) {
	binary.LittleEndian.PutUint16(dst, halfBits(d))
	b.storeNibbles(dst[2:BlockSizeQ4_0], lane)
}
