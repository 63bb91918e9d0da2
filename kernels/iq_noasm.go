//go:build purego || !amd64

package kernels

func gridTry(b *codebook, s *iqBlock, n int) { gridTryGeneric(b, s, n) }

func nearest8(list []uint16, x, w *[8]float32, value *[4]float32) uint16 {
	return nearest8Generic(list, x, w, value)
}

func iq1SplitS(s *iq1Block, x []float32) { iq1SplitSGeneric(s, x) }
func iq1SplitM(s *iq1Block, x []float32) { iq1SplitMGeneric(s, x) }
func (s *iq1Block) sort(x []float32)     { s.sortGeneric(x) }

func quantizeMXFP4(dst []byte, src []float32) { quantizeMXFP4Generic(dst, src) }
func quantizeNVFP4(dst []byte, src []float32) { quantizeNVFP4Generic(dst, src) }

func trits(levels []uint8, x []float32, inverse float32)   { tritsGeneric(levels, x, inverse) }
func twoBits(levels []uint8, x []float32, inverse float32) { twoBitsGeneric(levels, x, inverse) }
func peakOf(x []float32) float32                           { return absPeak(x) }
