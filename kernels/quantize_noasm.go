package kernels

func quantizeQ4_0(dst []byte, src []float32) { quantizeQ4_0Generic(dst, src) }
func quantizeQ4_1(dst []byte, src []float32) { quantizeQ4_1Generic(dst, src) }
func quantizeQ5_0(dst []byte, src []float32) { quantizeQ5_0Generic(dst, src) }
func quantizeQ5_1(dst []byte, src []float32) { quantizeQ5_1Generic(dst, src) }
func quantizeQ8_0(dst []byte, src []float32) { quantizeQ8_0Generic(dst, src) }
