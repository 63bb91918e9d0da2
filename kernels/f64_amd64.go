//go:build !purego

package kernels

func decodeF64(dst []float32, src []byte) { f64ToF32(bytesOf(dst), src) }

func encodeF64(dst []byte, src []float32) {
	if useAVX512 {
		encodeF64AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(src) &^ 3
		encodeF64AVX2(dst, src[:n])
	}
	encodeF64Generic(dst[8*n:], src[n:])
}

func f64ToF32(dst, src []byte) {
	if useAVX512 {
		f64ToF32AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 15
		f64ToF32AVX2(dst[:n], src)
	}
	f64ToF32Generic(dst[n:], src[2*n:])
}

func f64ToF16(dst, src []byte) {
	if useAVX512 {
		f64ToF16AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 15
		f64ToF16AVX2(dst[:n], src)
	}
	f64ToF16Generic(dst[n:], src[4*n:])
}

func f64ToBF16(dst, src []byte) {
	if useAVX512 {
		f64ToBF16AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 15
		f64ToBF16AVX2(dst[:n], src)
	}
	f64ToBF16Generic(dst[n:], src[4*n:])
}
