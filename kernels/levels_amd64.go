//go:build !purego

package kernels

// The versions in assembly take whole registers' worth of values, or whole groups of them;
// what is left is for the generic code. On a Zen 4 AVX-512 makes NF4 1.5 times as fast as
// AVX2, codes of E2M1 and integers 1.1 times. What has no version of its own uses AVX2's:
// there peaks take as long in AVX-512 and ranges longer, twice the width does not speed up
// division, and packing nibbles takes a tenth of the time of the codes.

// wholeGroups returns how many groups the versions in assembly take.
func wholeGroups(n, group int) int {
	if group%16 != 0 || !useAVX2 && !useAVX512 {
		return 0
	}
	return n / group
}

func peakGroups(peaks, x []float32, group int) {
	n := wholeGroups(len(x), group)
	switch {
	case n == 0:
	case group == 16:
		peaks16AVX2(peaks[:n], x)
	case group == 32:
		peaks32AVX2(peaks[:n], x)
	default:
		peakGroupsAVX2(peaks[:n], x, group)
	}
	for i := n; i < len(peaks); i++ {
		peaks[i] = groupPeak(x[i*group : min((i+1)*group, len(x))])
	}
}

func groupPeak(x []float32) float32 {
	n := len(x) &^ 7
	if n == 0 || !useAVX2 && !useAVX512 {
		return absPeak(x)
	}
	return max(groupPeakAVX2(x[:n]), absPeak(x[n:]))
}

func groupExtremes(lows, highs, x []float32, group int) {
	n := wholeGroups(len(x), group)
	if n > 0 {
		groupExtremesAVX2(lows[:n], highs[:n], x, group)
	}
	eachExtremes(lows[n:], highs[n:], x[n*group:], group)
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

func nf4Levels(levels []uint8, x, peaks []float32, group int) {
	n := wholeGroups(len(x), group)
	switch {
	case n > 0 && useAVX512:
		nf4LevelsAVX512(levels[:n*group], x[:n*group], peaks[:n], group)
	case n > 0:
		nf4LevelsAVX2(levels[:n*group], x[:n*group], peaks[:n], group)
	}
	nf4LevelsGeneric(levels[n*group:], x[n*group:], peaks[n:], group)
}

func e2m1Levels(levels []uint8, x, scales []float32, group int) {
	n := wholeGroups(len(x), group)
	switch {
	case n > 0 && useAVX512:
		e2m1LevelsAVX512(levels[:n*group], x[:n*group], scales[:n], group)
	case n > 0:
		e2m1LevelsAVX2(levels[:n*group], x[:n*group], scales[:n], group)
	}
	e2m1LevelsGeneric(levels[n*group:], x[n*group:], scales[n:], group)
}

func affineLevels(levels []uint8, x, scales, biases []float32, group int, high float32) {
	n := wholeGroups(len(x), group)
	switch {
	case n > 0 && useAVX512:
		affineLevelsAVX512(levels[:n*group], x[:n*group], scales[:n], biases[:n], group, high)
	case n > 0:
		affineLevelsAVX2(levels[:n*group], x[:n*group], scales[:n], biases[:n], group, high)
	}
	affineLevelsGeneric(levels[n*group:], x[n*group:], scales[n:], biases[n:], group, high)
}

func encodeLevels(levels []uint8, x []float32, low, high, offset float32) {
	n := 0
	if useAVX2 || useAVX512 {
		n = len(x) &^ 15
	}
	switch {
	case n == 0:
	case useAVX512:
		limitedLevelsAVX512(levels[:n], x[:n], low, high, offset)
	case low+offset >= 0 && high+offset <= 255:
		limitedLevelsAVX2(levels[:n], x[:n], low, high, offset)
	case low+offset >= -128 && high+offset <= 127:
		signedLevelsAVX2(levels[:n], x[:n], low, high, offset)
	default:
		n = 0
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
