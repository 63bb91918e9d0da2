//go:build !purego

package kernels

// The assembly of the plain quantizers does blocks up to the first with a number that is
// not finite, or nearly so, or whose peak it can't tell. That one is left to the generic
// code.

// quantizeQ8_0NEON is quantizeQ8_0Generic for the number of blocks that it returns.
//
//go:noescape
func quantizeQ8_0NEON(dst []byte, src []float32) (blocks int)

// quantizeQ4_0NEON is quantizeQ4_0Generic for the number of blocks that it returns.
//
//go:noescape
func quantizeQ4_0NEON(dst []byte, src []float32) (blocks int)

// expandLevelsNEON is expandLevelsGeneric for a positive number of whole sub-blocks.
// levels is the start of an expansion.
//
//go:noescape
func expandLevelsNEON(dst []float32, levels *uint8)

// lookUpNEON is lookUpGeneric for a positive number of times 32.
//
//go:noescape
func lookUpNEON(levels []uint8, table *[16]int8)

func quantizeQ8_0(dst []byte, src []float32) {
	for useNEON && len(src) > 0 {
		n := quantizeQ8_0NEON(dst, src)
		dst, src = dst[n*BlockSizeQ8_0:], src[n*BlockLenQ8_0:]
		if len(src) > 0 {
			quantizeQ8_0Generic(dst[:BlockSizeQ8_0], src[:BlockLenQ8_0])
			dst, src = dst[BlockSizeQ8_0:], src[BlockLenQ8_0:]
		}
	}
	quantizeQ8_0Generic(dst, src)
}

func quantizeQ4_0(dst []byte, src []float32) {
	for useNEON && len(src) > 0 {
		n := quantizeQ4_0NEON(dst, src)
		dst, src = dst[n*BlockSizeQ4_0:], src[n*BlockLenQ4_0:]
		if len(src) > 0 {
			quantizeQ4_0Generic(dst[:BlockSizeQ4_0], src[:BlockLenQ4_0])
			dst, src = dst[BlockSizeQ4_0:], src[BlockLenQ4_0:]
		}
	}
	quantizeQ4_0Generic(dst, src)
}

func expandLevels(dst []float32, e *expansion) {
	if useNEON && len(dst) > 0 {
		expandLevelsNEON(dst, &e.levels[0])
		return
	}
	expandLevelsGeneric(dst, e)
}

func lookUp(levels []uint8, table *[16]int8) {
	if useNEON && len(levels) > 0 {
		lookUpNEON(levels, table)
		return
	}
	lookUpGeneric(levels, table)
}
