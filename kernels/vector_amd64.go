//go:build !purego

package kernels

import "math"

func addScaled(y []float32, a float32, x []float32) {
	if useAVX512 {
		addScaledAVX512(y, a, x)
		return
	}
	n := 0
	if useAVX2 {
		n = len(y) &^ 7
		addScaledAVX2(y[:n], a, x)
	}
	addScaledGeneric(y[n:], a, x[n:])
}

func scale(y []float32, a float32) {
	if useAVX512 {
		scaleAVX512(y, a)
		return
	}
	n := 0
	if useAVX2 {
		n = len(y) &^ 7
		scaleAVX2(y[:n], a)
	}
	scaleGeneric(y[n:], a)
}

func sub(dst, x, y []float32) {
	if useAVX512 {
		subAVX512(dst, x, y)
		return
	}
	n := 0
	if useAVX2 {
		n = len(dst) &^ 7
		subAVX2(dst[:n], x, y)
	}
	subGeneric(dst[n:], x[n:], y[n:])
}

func maxAbsDiff(x, y []float32) float32 {
	n, bits := 0, uint32(0)
	switch {
	case useAVX512:
		n = len(x) &^ 15
		bits = maxAbsDiffAVX512(x[:n], y)
	case useAVX2:
		n = len(x) &^ 7
		bits = maxAbsDiffAVX2(x[:n], y)
	}
	bits = max(bits, math.Float32bits(maxAbsDiffGeneric(x[n:], y[n:])))
	return canonical(math.Float32frombits(bits))
}
