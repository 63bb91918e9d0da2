//go:build purego || !amd64

package kernels

func gridTry(b *codebook, s *iqBlock, n int) { gridTryGeneric(b, s, n) }
