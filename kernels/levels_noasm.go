//go:build purego || (!amd64 && !arm64)

package kernels

func peakGroups(peaks, x []float32, group int) { peakGroupsGeneric(peaks, x, group) }
func extremes(x []float32) (low, high float32) { return extremesGeneric(x) }
func divide(dst, x []float32, s float32)       { divideGeneric(dst, x, s) }

func groupExtremes(lows, highs, x []float32, group int) { eachExtremes(lows, highs, x, group) }

func nf4Levels(levels []uint8, x, peaks []float32, group int) {
	nf4LevelsGeneric(levels, x, peaks, group)
}

func e2m1Levels(levels []uint8, x, scales []float32, group int) {
	e2m1LevelsGeneric(levels, x, scales, group)
}

func affineLevels(levels []uint8, x, scales, biases []float32, group int, high float32) {
	affineLevelsGeneric(levels, x, scales, biases, group, high)
}

func encodeLevels(levels []uint8, x []float32, low, high, offset float32) {
	limitedLevelsGeneric(levels, x, low, high, offset)
}

func affineEnds(scales, biases []float32, top float32) { affineEndsGeneric(scales, biases, top) }

func joinNibbles(dst []byte, levels []uint8, first, second uint8) {
	joinNibblesGeneric(dst, levels, first, second)
}
