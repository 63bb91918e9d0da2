//go:build !purego

package kernels

var q5KShape = affineKShape(&q5KSearch, &q5KWeightedSearch)

func quantizeQ5_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[affineKLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.run(q5KShape, weights, i, rowLen)
		}
		for lane := range b.blocks {
			out := dst[i/BlockLenQ5_K*BlockSizeQ5_K:][:BlockSizeQ5_K]
			if b.isWild(lane) {
				quantizeQ5_KGeneric(out, src[i:][:BlockLenQ5_K], BlockLenQ5_K, blockWeights(weights, i, rowLen, BlockLenQ5_K))
			} else {
				storeQ5_K(out, &b.sub[lane], &b.levels[lane])
			}
			i += BlockLenQ5_K
		}
	}
}
