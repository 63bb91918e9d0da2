//go:build !purego

package kernels

// The assembly takes whole registers' worth of values, or whole groups of them; what is
// left is for the generic code.

// peakGroupsNEON is peakGroupsGeneric for groups of a positive number of times 16.
//
//go:noescape
func peakGroupsNEON(peaks, x []float32, group int)

// extremesNEON is extremesGeneric for a positive number of times 8, without NaNs, but for
// the sign of zeros.
//
//go:noescape
func extremesNEON(x []float32) (low, high float32)

// nf4LevelsNEON is nf4LevelsGeneric for groups of a positive number of times 16.
//
//go:noescape
func nf4LevelsNEON(levels []uint8, x, peaks []float32, group int, middles *[16]float32)

// e2m1LevelsNEON is e2m1LevelsGeneric for groups of a positive number of times 16, without
// NaNs.
//
//go:noescape
func e2m1LevelsNEON(levels []uint8, x, scales []float32, group int)

// affineLevelsNEON is affineLevelsGeneric for groups of a positive number of times 16.
//
//go:noescape
func affineLevelsNEON(levels []uint8, x, scales, biases []float32, group int, high float32)

// limitedLevelsNEON is limitedLevelsGeneric for a positive number of times 16.
//
//go:noescape
func limitedLevelsNEON(levels []uint8, x []float32, low, high, offset float32)

// divideNEON is divideGeneric for a positive number of times 8.
//
//go:noescape
func divideNEON(dst, x []float32, s float32)

// affineEndsNEON is affineEndsGeneric for a positive number of times 4.
//
//go:noescape
func affineEndsNEON(scales, biases []float32, top float32)

// joinNibblesNEON is joinNibblesGeneric for a positive number of times 32.
//
//go:noescape
func joinNibblesNEON(dst []byte, levels []uint8, first, second uint8)

// wholeGroups returns how many groups the assembly takes.
func wholeGroups(n, group int) int {
	if group%16 != 0 || !useNEON {
		return 0
	}
	return n / group
}

// wholeBlocks returns how many of n values make whole blocks of a size.
func wholeBlocks(n, size int) int {
	if !useNEON {
		return 0
	}
	return n &^ (size - 1)
}

func peakGroups(peaks, x []float32, group int) {
	n := wholeGroups(len(x), group)
	if n > 0 {
		peakGroupsNEON(peaks[:n], x[:n*group], group)
	}
	peakGroupsGeneric(peaks[n:], x[n*group:], group)
}

func groupExtremes(lows, highs, x []float32, group int) { eachExtremes(lows, highs, x, group) }

func extremes(x []float32) (low, high float32) {
	n := wholeBlocks(len(x), 8)
	if n == 0 {
		return extremesGeneric(x)
	}
	low, high = extremesNEON(x[:n])
	for _, v := range x[n:] {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

func nf4Levels(levels []uint8, x, peaks []float32, group int) {
	n := wholeGroups(len(x), group)
	if n > 0 {
		nf4LevelsNEON(levels[:n*group], x[:n*group], peaks[:n], group, &nf4Middles)
	}
	nf4LevelsGeneric(levels[n*group:], x[n*group:], peaks[n:], group)
}

func e2m1Levels(levels []uint8, x, scales []float32, group int) {
	n := wholeGroups(len(x), group)
	if n > 0 {
		e2m1LevelsNEON(levels[:n*group], x[:n*group], scales[:n], group)
	}
	e2m1LevelsGeneric(levels[n*group:], x[n*group:], scales[n:], group)
}

func affineLevels(levels []uint8, x, scales, biases []float32, group int, high float32) {
	n := wholeGroups(len(x), group)
	if n > 0 {
		affineLevelsNEON(levels[:n*group], x[:n*group], scales[:n], biases[:n], group, high)
	}
	affineLevelsGeneric(levels[n*group:], x[n*group:], scales[n:], biases[n:], group, high)
}

func encodeLevels(levels []uint8, x []float32, low, high, offset float32) {
	n := wholeBlocks(len(x), 16)
	if n > 0 {
		limitedLevelsNEON(levels[:n], x[:n], low, high, offset)
	}
	limitedLevelsGeneric(levels[n:], x[n:], low, high, offset)
}

func divide(dst, x []float32, s float32) {
	n := wholeBlocks(len(x), 8)
	if n > 0 {
		divideNEON(dst[:n], x[:n], s)
	}
	divideGeneric(dst[n:], x[n:], s)
}

func affineEnds(scales, biases []float32, top float32) {
	n := wholeBlocks(len(scales), 4)
	if n > 0 {
		affineEndsNEON(scales[:n], biases[:n], top)
	}
	affineEndsGeneric(scales[n:], biases[n:], top)
}

func joinNibbles(dst []byte, levels []uint8, first, second uint8) {
	n := wholeBlocks(len(levels), 32)
	if n > 0 {
		joinNibblesNEON(dst[:n/2], levels[:n], first, second)
	}
	joinNibblesGeneric(dst[n/2:], levels[n:], first, second)
}
