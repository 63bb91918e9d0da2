//go:build !purego

package kernels

// fp4Chunk is how many scales are worked out before their values are encoded.
const fp4Chunk = 64

func quantizeMXFP4(dst []byte, src []float32) {
	if !useAVX2 && !useAVX512 {
		quantizeMXFP4Generic(dst, src)
		return
	}
	var peaks, half [fp4Chunk]float32
	for len(src) > 0 {
		n := min(len(src)/BlockLenMXFP4, fp4Chunk)
		peaks32AVX2(peaks[:n], src)
		dwarfed := false
		for i, peak := range peaks[:n] {
			e := mxfp4Exponent(peak)
			dst[BlockSizeMXFP4*i] = e
			half[i] = mxfp4HalfScale(e)
			dwarfed = dwarfed || e2m1Dwarfed(half[i], peak)
		}
		blocks := dst[:BlockSizeMXFP4*n]
		encodeMXFP4AVX2(blocks, src, half[:n])
		for i := 0; dwarfed && i < n; i++ {
			encodeE2M1(blocks[BlockSizeMXFP4*i:][1:17], src[BlockLenMXFP4*i:][:BlockLenMXFP4], half[i], peaks[i])
		}
		dst, src = dst[len(blocks):], src[BlockLenMXFP4*n:]
	}
}

func quantizeNVFP4(dst []byte, src []float32) {
	if !useAVX2 && !useAVX512 {
		quantizeNVFP4Generic(dst, src)
		return
	}
	var peaks, half [fp4Chunk]float32
	for len(src) > 0 {
		n := min(len(src)/16, fp4Chunk)
		peaks16AVX2(peaks[:n], src)
		dwarfed := false
		for i, peak := range peaks[:n] {
			code := encodeUE4M3(peak / 6)
			dst[BlockSizeNVFP4*(i/4)+i%4] = code
			half[i] = ue4m3Half[code]
			dwarfed = dwarfed || e2m1Dwarfed(half[i], peak)
		}
		blocks := dst[:BlockSizeNVFP4*n/4]
		encodeNVFP4AVX2(blocks, src, half[:n])
		for i := 0; dwarfed && i < n; i++ {
			encodeE2M1(blocks[BlockSizeNVFP4*(i/4):][4+8*(i%4):][:8], src[16*i:][:16], half[i], peaks[i])
		}
		dst, src = dst[len(blocks):], src[16*n:]
	}
}
