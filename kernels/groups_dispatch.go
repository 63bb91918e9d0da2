package kernels

func peakGroups(peaks, x []float32, group int) { peakGroupsGeneric(peaks, x, group) }
func divide(dst, x []float32, s float32)       { divideGeneric(dst, x, s) }
func encodeLevels(dst []uint8, x []float32, lo, hi, offset int) {
	encodeLevelsGeneric(dst, x, lo, hi, offset)
}
