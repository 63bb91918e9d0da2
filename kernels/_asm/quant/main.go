// Command quant generates the block quantizers, with a block in each lane.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, v := range []isa{avx2, avx512} {
		transpose(v)
		sumSquares(v)
		deviationWeights(v)
		importanceWeights(v)
		squareWeights(v)
		ways := v.lanes / 8
		fitAffine(v, ways, false)
		fitAffine(v, ways, true)
		levels(v)
		fitSymmetric(v)
		fitDescent(v)
		fitPositive(v)
	}
	Generate()
}
