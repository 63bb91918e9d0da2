//go:build !purego

package kernels

var (
	q4KSteps         = q4KSearch.lanes()
	q4KWeightedSteps = q4KWeightedSearch.lanes()
)

func quantizeQ4_K(dst []byte, src []float32, rowLen int, weights []float32) {
	var b affineKLanes
	for i := 0; i < len(src); {
		blocks, wild := 1, uint32(1)
		if lanes := laneCount((len(src) - i) / BlockLenQ4_K); lanes > 0 {
			blocks = min(lanes, (len(src)-i)/BlockLenQ4_K)
			wild = b.fit(src, i, blocks, rowLen, weights, q4KSteps, q4KWeightedSteps, lanes)
			wild |= b.quantize(blocks, q4KSteps.top, lanes)
		}
		for lane := range blocks {
			out := dst[i/BlockLenQ4_K*BlockSizeQ4_K:][:BlockSizeQ4_K]
			if wild>>lane&1 == 0 {
				storeQ4_K(out, &b.blocks[lane], &b.levels[lane])
			} else {
				quantizeQ4_KGeneric(out, src[i:][:BlockLenQ4_K], BlockLenQ4_K, blockWeights(weights, i, rowLen, BlockLenQ4_K))
			}
			i += BlockLenQ4_K
		}
	}
}
