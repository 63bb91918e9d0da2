//go:build !purego

package kernels

// The AVX2 versions take whole registers' worth of a group; what is left of it is for the
// generic code.

func groupPeak(x []float32) float32 {
	n := len(x) &^ 7
	if n == 0 || !useAVX2 && !useAVX512 {
		return absPeak(x)
	}
	return max(groupPeakAVX2(x[:n]), absPeak(x[n:]))
}

func extremes(x []float32) (low, high float32) {
	n := len(x) &^ 7
	if n == 0 || !useAVX2 && !useAVX512 {
		return extremesGeneric(x)
	}
	low, high = extremesAVX2(x[:n])
	for _, v := range x[n:] {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

func nf4Levels(levels []uint8, x []float32, inverse float32) {
	n := 0
	if useAVX2 || useAVX512 {
		if n = len(x) &^ 15; n > 0 {
			nf4LevelsAVX2(levels[:n], x[:n], inverse)
		}
	}
	nf4LevelsGeneric(levels[n:], x[n:], inverse)
}

func e2m1Levels(levels []uint8, x []float32, half float32) {
	n := 0
	if useAVX2 || useAVX512 {
		if n = len(x) &^ 15; n > 0 {
			e2m1LevelsAVX2(levels[:n], x[:n], half)
		}
	}
	e2m1LevelsGeneric(levels[n:], x[n:], half)
}

func affineLevels(levels []uint8, x []float32, scale, bias, high float32) {
	n := 0
	if useAVX2 || useAVX512 {
		if n = len(x) &^ 15; n > 0 {
			affineLevelsAVX2(levels[:n], x[:n], scale, bias, high)
		}
	}
	affineLevelsGeneric(levels[n:], x[n:], scale, bias, high)
}

func encodeLevels(levels []uint8, x []float32, low, high, offset float32) {
	n := 0
	if (useAVX2 || useAVX512) && low+offset >= 0 {
		if n = len(x) &^ 15; n > 0 {
			limitedLevelsAVX2(levels[:n], x[:n], low, high, offset)
		}
	}
	limitedLevelsGeneric(levels[n:], x[n:], low, high, offset)
}

func divide(dst, x []float32, s float32) {
	n := 0
	if useAVX2 || useAVX512 {
		if n = len(x) &^ 7; n > 0 {
			divideAVX2(dst[:n], x[:n], s)
		}
	}
	divideGeneric(dst[n:], x[n:], s)
}

func affineEnds(scales, biases []float32, top float32) {
	n := 0
	if useAVX2 || useAVX512 {
		if n = len(scales) &^ 7; n > 0 {
			affineEndsAVX2(scales[:n], biases[:n], top)
		}
	}
	affineEndsGeneric(scales[n:], biases[n:], top)
}

func joinNibbles(dst []byte, levels []uint8, first, second uint8) {
	n := 0
	if useAVX2 || useAVX512 {
		if n = len(levels) &^ 63; n > 0 {
			joinNibblesAVX2(dst[:n/2], levels[:n], first, second)
		}
	}
	joinNibblesGeneric(dst[n/2:], levels[n:], first, second)
}
