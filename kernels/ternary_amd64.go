//go:build !purego

package kernels

import "encoding/binary"

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

func quantizeQ1_0(dst []byte, src []float32) {
	const lanes = 8
	for (useAVX2 || useAVX512) && len(src) >= lanes*BlockLenQ1_0 {
		var sums [lanes]float32
		blocks := dst[:lanes*BlockSizeQ1_0]
		signsQ1_0AVX2(&blocks[0], &sums, &src[0])
		for i, sum := range sums {
			binary.LittleEndian.PutUint16(blocks[i*BlockSizeQ1_0:], halfBits(sum/128))
		}
		dst, src = dst[len(blocks):], src[lanes*BlockLenQ1_0:]
	}
	quantizeQ1_0Generic(dst, src)
}
