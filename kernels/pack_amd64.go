//go:build !purego

package kernels

func packNibbles(dst []byte, levels []uint8, half int) {
	switch {
	case !useAVX2 && !useAVX512:
		packNibblesGeneric(dst, levels, half)
	case half == 16:
		packNibbles16AVX2(dst, levels)
	case half == 32:
		packNibbles32AVX2(dst, levels)
	default:
		packNibbles64AVX2(dst, levels)
	}
}

func unpackNibbles(levels []uint8, src []byte, half int) {
	levels = levels[:2*len(src)]
	switch {
	case !useAVX2 && !useAVX512:
		unpackNibblesGeneric(levels, src, half)
	case half == 16:
		unpackNibbles16AVX2(levels, src)
	case half == 32:
		unpackNibbles32AVX2(levels, src)
	default:
		unpackNibbles64AVX2(levels, src)
	}
}

func packPairs(dst []byte, levels []uint8, shift int) {
	if useAVX2 || useAVX512 {
		packPairsAVX2(dst, levels, shift)
	} else {
		packPairsGeneric(dst, levels, shift)
	}
}

func unpackPairs(levels []uint8, src []byte, shift int) {
	levels = levels[:4*len(src)]
	if useAVX2 || useAVX512 {
		unpackPairsAVX2(levels, src, shift)
	} else {
		unpackPairsGeneric(levels, src, shift)
	}
}

func packBits(dst []byte, levels []uint8, bit int) {
	if useAVX2 || useAVX512 {
		packBitsAVX2(dst, levels, bit)
	} else {
		packBitsGeneric(dst, levels, bit)
	}
}

func unpackBits(levels []uint8, src []byte, bit int) {
	if useAVX2 || useAVX512 {
		unpackBitsAVX2(levels[:superBlock], src, bit)
	} else {
		unpackBitsGeneric(levels, src, bit)
	}
}

func subtractLevels(levels []uint8, n byte) {
	if useAVX2 || useAVX512 {
		subtractLevelsAVX2(levels, n)
	} else {
		subtractLevelsGeneric(levels, n)
	}
}
