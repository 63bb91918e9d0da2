package kernels

func quantizeMXFP4Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeMXFP4:], src[BlockLenMXFP4:] {
		peak := absPeak(src[:32])
		dst[0] = mxfp4Exponent(peak)
		encodeE2M1(dst[1:17], src[:32], mxfp4HalfScale(dst[0]), peak)
	}
}

func quantizeNVFP4Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeNVFP4:], src[BlockLenNVFP4:] {
		for b := range 4 {
			x := src[16*b : 16*b+16]
			peak := absPeak(x)
			dst[b] = encodeUE4M3(peak / 6)
			encodeE2M1(dst[4+8*b:12+8*b], x, ue4m3Half[dst[b]], peak)
		}
	}
}
