// Command quant generates the block quantizers, with a block in each lane.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, v := range []isa{avx2, avx512} {
		transpose(v)
		sumSquares(v)
		sumSquaresRows(v)
		deviationWeights(v)
		importanceWeights(v)
		squareWeights(v)
		fitAffine(v, 1, false)
		fitAffine(v, 2, false)
		fitAffine(v, 2, true)
		levels(v)
		searchLevels(v)
		packColumns(v)
		fitSymmetric(v)
		scaleQ6_K(v)
		settleDescent(v)
		fitDescent(v)
		fitPositive(v)
		fitIQ4(v)
		levelsIQ4(v)
		expandLevels(v)
		for _, k := range plainTypes {
			k.isa = v
			k.quantize()
		}
		for _, k := range decoded32 {
			k.isa = v
			k.dequantize()
		}
	}
	lookUp()
	nibbles(16)
	nibbles(32)
	nibbles(64)
	pairs()
	bitPlane()
	subtractLevels()
	Generate()
}
