//go:build purego || !amd64

package kernels

func groupPeak(x []float32) float32            { return absPeak(x) }
func extremes(x []float32) (low, high float32) { return extremesGeneric(x) }
func divide(dst, x []float32, s float32)       { divideGeneric(dst, x, s) }

func nf4Levels(levels []uint8, x []float32, inverse float32) { nf4LevelsGeneric(levels, x, inverse) }
func e2m1Levels(levels []uint8, x []float32, half float32)   { e2m1LevelsGeneric(levels, x, half) }

func affineLevels(levels []uint8, x []float32, scale, bias, high float32) {
	affineLevelsGeneric(levels, x, scale, bias, high)
}

func encodeLevels(levels []uint8, x []float32, low, high, offset float32) {
	limitedLevelsGeneric(levels, x, low, high, offset)
}

func affineEnds(scales, biases []float32, top float32) { affineEndsGeneric(scales, biases, top) }

func joinNibbles(dst []byte, levels []uint8, first, second uint8) {
	joinNibblesGeneric(dst, levels, first, second)
}
