//go:build !purego

package kernels

// decodeF16NEON is decodeF16Generic for len(dst) a multiple of 8.
//
//go:noescape
func decodeF16NEON(dst []float32, src []byte)

// encodeF16NEON is encodeF16Generic for len(src) a multiple of 8.
//
//go:noescape
func encodeF16NEON(dst []byte, src []float32)

// decodeBF16NEON is decodeBF16Generic for len(dst) a multiple of 8.
//
//go:noescape
func decodeBF16NEON(dst []float32, src []byte)

// encodeBF16NEON is encodeBF16Generic for len(src) a multiple of 8.
//
//go:noescape
func encodeBF16NEON(dst []byte, src []float32)

func decodeF16(dst []float32, src []byte) {
	n := 0
	if useNEON {
		n = len(dst) &^ 7
		decodeF16NEON(dst[:n], src)
	}
	decodeF16Generic(dst[n:], src[2*n:])
}

func encodeF16(dst []byte, src []float32) {
	n := 0
	if useNEON {
		n = len(src) &^ 7
		encodeF16NEON(dst, src[:n])
	}
	encodeF16Generic(dst[2*n:], src[n:])
}

func decodeBF16(dst []float32, src []byte) {
	n := 0
	if useNEON {
		n = len(dst) &^ 7
		decodeBF16NEON(dst[:n], src)
	}
	decodeBF16Generic(dst[n:], src[2*n:])
}

func encodeBF16(dst []byte, src []float32) {
	n := 0
	if useNEON {
		n = len(src) &^ 7
		encodeBF16NEON(dst, src[:n])
	}
	encodeBF16Generic(dst[2*n:], src[n:])
}
