//go:build !purego

package kernels

var (
	q5KSteps         = q5KSearch.lanes()
	q5KWeightedSteps = q5KWeightedSearch.lanes()
)

func quantizeQ5_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var room aligned[affineKLanes]
	b := room.get()
	for i := 0; i < len(src); {
		if b.load(src, i); b.lanes > 0 {
			b.fit(weights, i, rowLen, q5KSteps, q5KWeightedSteps)
			b.quantize(q5KSteps.top)
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
