//go:build !purego

package kernels

var (
	q5KSteps         = q5KSearch.lanes()
	q5KWeightedSteps = q5KWeightedSearch.lanes()
)

func quantizeQ5_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var b affineKLanes
	for i := 0; i < len(src); {
		blocks, wild := 1, uint32(1)
		if lanes := laneCount((len(src) - i) / BlockLenQ5_K); lanes > 0 {
			blocks = min(lanes, (len(src)-i)/BlockLenQ5_K)
			wild = b.fit(src, i, blocks, rowLen, weights, q5KSteps, q5KWeightedSteps, lanes)
			wild |= b.quantize(blocks, q5KSteps.top, lanes)
		}
		for lane := range blocks {
			out := dst[i/BlockLenQ5_K*BlockSizeQ5_K:][:BlockSizeQ5_K]
			if wild>>lane&1 == 0 {
				storeQ5_K(out, &b.blocks[lane], &b.levels[lane])
			} else {
				quantizeQ5_KGeneric(out, src[i:][:BlockLenQ5_K], BlockLenQ5_K, blockWeights(weights, i, rowLen, BlockLenQ5_K))
			}
			i += BlockLenQ5_K
		}
	}
}
