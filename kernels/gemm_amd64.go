//go:build !purego

package kernels

var gemmAVX2 = tiling{
	heights: []int{6, 4, 1},
	widths:  []int{16},
	kernels: [][]microKernel{{gemm6x16AVX2, gemm4x16AVX2, gemm1x16AVX2}},
}

var gemmAVX512 = tiling{
	heights: []int{12, 4, 1},
	widths:  []int{32, 16},
	kernels: [][]microKernel{
		{gemm12x32AVX512, gemm4x32AVX512, gemm1x32AVX512},
		{gemm12x16AVX512, gemm4x16AVX512, gemm1x16AVX512},
	},
}

func gemm(c []float32, ldc int, a, b operand, m, n, k int) {
	switch {
	case useAVX512:
		gemmBlocked(&gemmAVX512, c, ldc, a, b, m, n, k)
	case useAVX2:
		gemmBlocked(&gemmAVX2, c, ldc, a, b, m, n, k)
	default:
		gemmGeneric(c, ldc, a, b, m, n, k)
	}
}
