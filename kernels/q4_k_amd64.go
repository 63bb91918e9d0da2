//go:build !purego

package kernels

var q4KShape = affineKShape(&q4KSearch, &q4KWeightedSearch)

func quantizeQ4_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[affineKLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.run(q4KShape, weights, i, rowLen)
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenQ4_K*BlockSizeQ4_K:][:BlockSizeQ4_K]
			if b.isWild(lane) {
				quantizeQ4_KGeneric(out, src[i:][:BlockLenQ4_K], BlockLenQ4_K, blockWeights(weights, i, rowLen, BlockLenQ4_K))
			} else {
				storeQ4_K(out, &b.sub[lane], &b.levels[lane])
			}
			i += BlockLenQ4_K
		}
	}
}
