//go:build !purego

package kernels

import "unsafe"

// The assembly has the layout of iqBlock built in.
const (
	_ = -(unsafe.Offsetof(iqBlock{}.root) ^ 256)
	_ = -(unsafe.Offsetof(iqBlock{}.trials) ^ 384)
	_ = -(unsafe.Offsetof(gridTrials{}.cells) ^ 512)
	_ = -(unsafe.Offsetof(gridTrials{}.points) ^ 1536)
)

func gridTry(b *codebook, s *iqBlock, n int) {
	switch {
	case !useAVX2 && !useAVX512:
		gridTryGeneric(b, s, n)
	case b.dims == 4:
		gridTry4AVX2(&s.x[0], &b.cells[0], &b.near[0], n, s.trials.n)
	default:
		gridTry8AVX2(&s.x[0], &b.cells[0], &b.near[0], n, s.trials.n)
	}
}

func nearest8(list []uint16, x, w *[8]float32, value *[4]float32) uint16 {
	if useAVX2 || useAVX512 {
		return uint16(nearest8AVX2(&list[0], len(list), &x[0], &w[0], &value[0]))
	}
	return nearest8Generic(list, x, w, value)
}
