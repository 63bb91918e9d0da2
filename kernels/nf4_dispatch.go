package kernels

func encodeNF4(dst []byte, x, peaks []float32, group int) { encodeNF4Generic(dst, x, peaks, group) }
