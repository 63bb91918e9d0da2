//go:build !purego

package kernels

func dequantizeQ4_0(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeQ4_0AVX512(dst, src)
	case useAVX2:
		dequantizeQ4_0AVX2(dst, src)
	default:
		dequantizeQ4_0Generic(dst, src)
	}
}

func dequantizeQ4_1(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeQ4_1AVX512(dst, src)
	case useAVX2:
		dequantizeQ4_1AVX2(dst, src)
	default:
		dequantizeQ4_1Generic(dst, src)
	}
}

func dequantizeQ5_0(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeQ5_0AVX512(dst, src)
	case useAVX2:
		dequantizeQ5_0AVX2(dst, src)
	default:
		dequantizeQ5_0Generic(dst, src)
	}
}

func dequantizeQ5_1(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeQ5_1AVX512(dst, src)
	case useAVX2:
		dequantizeQ5_1AVX2(dst, src)
	default:
		dequantizeQ5_1Generic(dst, src)
	}
}

func dequantizeQ8_0(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeQ8_0AVX512(dst, src)
	case useAVX2:
		dequantizeQ8_0AVX2(dst, src)
	default:
		dequantizeQ8_0Generic(dst, src)
	}
}

func dequantizeIQ4_NL(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeIQ4_NLAVX512(dst, src)
	case useAVX2:
		dequantizeIQ4_NLAVX2(dst, src)
	default:
		dequantizeIQ4_NLGeneric(dst, src)
	}
}

func dequantizeMXFP4(dst []float32, src []byte) {
	switch {
	case len(dst) == 0:
	case useAVX512:
		dequantizeMXFP4AVX512(dst, src)
	case useAVX2:
		dequantizeMXFP4AVX2(dst, src)
	default:
		dequantizeMXFP4Generic(dst, src)
	}
}
