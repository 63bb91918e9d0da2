package kernels

func iq1SplitS(s *iq1Block, x []float32) { iq1SplitSGeneric(s, x) }
func iq1SplitM(s *iq1Block, x []float32) { iq1SplitMGeneric(s, x) }
