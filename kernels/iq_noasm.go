//go:build purego || !amd64

package kernels

func gridTry(b *codebook, s *iqBlock, n int) { gridTryGeneric(b, s, n) }

func nearest8(list []uint16, x, w *[8]float32, value *[4]float32) uint16 {
	return nearest8Generic(list, x, w, value)
}

func iq1SplitS(s *iq1Block, x []float32) { iq1SplitSGeneric(s, x) }
func iq1SplitM(s *iq1Block, x []float32) { iq1SplitMGeneric(s, x) }
func (s *iq1Block) sort(x []float32)     { s.sortGeneric(x) }
