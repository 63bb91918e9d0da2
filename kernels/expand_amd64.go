//go:build !purego

package kernels

func expandLevels(dst []float32, e *expansion) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		expandLevelsAVX512(dst, &e.levels[0])
	case useAVX2:
		expandLevelsAVX2(dst, &e.levels[0])
	default:
		expandLevelsGeneric(dst, e)
	}
}

// lookUp replaces levels of 0..15, a multiple of 32 of them, by table[level].
func lookUp(levels []uint8, table *[16]int8) {
	if (useAVX2 || useAVX512) && len(levels) > 0 {
		lookUpAVX2(levels, table)
	} else {
		lookUpGeneric(levels, table)
	}
}
