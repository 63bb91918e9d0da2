//go:build !purego

package kernels

// The AVX-512 conversions take any length. Those for AVX2 leave what is less than
// a block to the generic code.

func decodeBF16(dst []float32, src []byte) {
	if useAVX512 {
		decodeBF16AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 7
		decodeBF16AVX2(dst[:n], src)
	}
	decodeBF16Generic(dst[n:], src[2*n:])
}

func encodeBF16(dst []byte, src []float32) {
	if useAVX512 {
		encodeBF16AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(src) &^ 15
		encodeBF16AVX2(dst, src[:n])
	}
	encodeBF16Generic(dst[2*n:], src[n:])
}

func decodeF16(dst []float32, src []byte) {
	if useAVX512 {
		decodeF16AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 7
		decodeF16AVX2(dst[:n], src)
	}
	decodeF16Generic(dst[n:], src[2*n:])
}

func encodeF16(dst []byte, src []float32) {
	if useAVX512 {
		encodeF16AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(src) &^ 7
		encodeF16AVX2(dst, src[:n])
	}
	encodeF16Generic(dst[2*n:], src[n:])
}

func decodeF8E4M3(dst []float32, src []byte) {
	if useAVX512 {
		decodeF8E4M3AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 15
		decodeF8E4M3AVX2(dst[:n], src)
	}
	decodeF8E4M3Generic(dst[n:], src[n:])
}

func encodeF8E4M3(dst []byte, src []float32) {
	if useAVX512 {
		encodeF8E4M3AVX512(dst, src)
		return
	}
	n := 0
	if useAVX2 {
		n = len(src) &^ 15
		encodeF8E4M3AVX2(dst, src[:n])
	}
	encodeF8E4M3Generic(dst[n:], src[n:])
}
