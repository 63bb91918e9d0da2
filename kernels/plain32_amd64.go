//go:build !purego

package kernels

// The assembly of the plain quantizers does blocks up to the first with a number that
// is not finite, or nearly so. That one is left to the generic code.

func quantizeQ4_0(dst []byte, src []float32) {
	for len(src) > 0 {
		n := 0
		switch {
		case useAVX512:
			n = quantizeQ4_0AVX512(dst, src)
		case useAVX2:
			n = quantizeQ4_0AVX2(dst, src)
		default:
			quantizeQ4_0Generic(dst, src)
			return
		}
		dst, src = dst[n*BlockSizeQ4_0:], src[n*BlockLenQ4_0:]
		if len(src) > 0 {
			quantizeQ4_0Generic(dst[:BlockSizeQ4_0], src[:BlockLenQ4_0])
			dst, src = dst[BlockSizeQ4_0:], src[BlockLenQ4_0:]
		}
	}
}

func quantizeQ4_1(dst []byte, src []float32) {
	for len(src) > 0 {
		n := 0
		switch {
		case useAVX512:
			n = quantizeQ4_1AVX512(dst, src)
		case useAVX2:
			n = quantizeQ4_1AVX2(dst, src)
		default:
			quantizeQ4_1Generic(dst, src)
			return
		}
		dst, src = dst[n*BlockSizeQ4_1:], src[n*BlockLenQ4_1:]
		if len(src) > 0 {
			quantizeQ4_1Generic(dst[:BlockSizeQ4_1], src[:BlockLenQ4_1])
			dst, src = dst[BlockSizeQ4_1:], src[BlockLenQ4_1:]
		}
	}
}

func quantizeQ5_0(dst []byte, src []float32) {
	for len(src) > 0 {
		n := 0
		switch {
		case useAVX512:
			n = quantizeQ5_0AVX512(dst, src)
		case useAVX2:
			n = quantizeQ5_0AVX2(dst, src)
		default:
			quantizeQ5_0Generic(dst, src)
			return
		}
		dst, src = dst[n*BlockSizeQ5_0:], src[n*BlockLenQ5_0:]
		if len(src) > 0 {
			quantizeQ5_0Generic(dst[:BlockSizeQ5_0], src[:BlockLenQ5_0])
			dst, src = dst[BlockSizeQ5_0:], src[BlockLenQ5_0:]
		}
	}
}

func quantizeQ5_1(dst []byte, src []float32) {
	for len(src) > 0 {
		n := 0
		switch {
		case useAVX512:
			n = quantizeQ5_1AVX512(dst, src)
		case useAVX2:
			n = quantizeQ5_1AVX2(dst, src)
		default:
			quantizeQ5_1Generic(dst, src)
			return
		}
		dst, src = dst[n*BlockSizeQ5_1:], src[n*BlockLenQ5_1:]
		if len(src) > 0 {
			quantizeQ5_1Generic(dst[:BlockSizeQ5_1], src[:BlockLenQ5_1])
			dst, src = dst[BlockSizeQ5_1:], src[BlockLenQ5_1:]
		}
	}
}

func quantizeQ8_0(dst []byte, src []float32) {
	for len(src) > 0 {
		n := 0
		switch {
		case useAVX512:
			n = quantizeQ8_0AVX512(dst, src)
		case useAVX2:
			n = quantizeQ8_0AVX2(dst, src)
		default:
			quantizeQ8_0Generic(dst, src)
			return
		}
		dst, src = dst[n*BlockSizeQ8_0:], src[n*BlockLenQ8_0:]
		if len(src) > 0 {
			quantizeQ8_0Generic(dst[:BlockSizeQ8_0], src[:BlockLenQ8_0])
			dst, src = dst[BlockSizeQ8_0:], src[BlockLenQ8_0:]
		}
	}
}
