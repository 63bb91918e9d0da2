//go:build !purego

package kernels

func trits(levels []uint8, x []float32, inverse float32) {
	if (useAVX2 || useAVX512) && inverse <= maxFloat32 {
		tritsAVX2(levels, x, inverse)
		return
	}
	tritsGeneric(levels, x, inverse)
}

func twoBits(levels []uint8, x []float32, inverse float32) {
	if (useAVX2 || useAVX512) && inverse <= maxFloat32 {
		twoBitsAVX2(levels, x, inverse)
		return
	}
	twoBitsGeneric(levels, x, inverse)
}

// peakOf is absPeak of 64 or 256 values.
func peakOf(x []float32) (peak float32) {
	if !useAVX2 && !useAVX512 {
		return absPeak(x)
	}
	var peaks [8]float32
	peaks32AVX2(peaks[:len(x)/32], x)
	for _, p := range peaks {
		peak = max(peak, p)
	}
	return peak
}
