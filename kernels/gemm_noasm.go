//go:build purego || !amd64

package kernels

func gemm(c []float32, ldc int, a, b operand, m, n, k int) { gemmGeneric(c, ldc, a, b, m, n, k) }
