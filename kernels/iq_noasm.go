package kernels

func gridTry(b *codebook, t *gridTrials, x, w, root []float32) { gridTryGeneric(b, t, x, w, root) }
func iq1SplitS(s *iq1Block, x []float32)                       { iq1SplitSGeneric(s, x) }
func iq1SplitM(s *iq1Block, x []float32)                       { iq1SplitMGeneric(s, x) }
