//go:build purego || !amd64

package kernels

func fitInt4(x []float32, s float32) (failure, xq, qq float32) { return fitInt4Generic(x, s) }

func fitE2M1(x []float32, s float32) float32 { return fitE2M1Generic(x, s) }
