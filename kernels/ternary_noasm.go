//go:build purego || !amd64

package kernels

func trits(levels []uint8, x []float32, inverse float32)   { tritsGeneric(levels, x, inverse) }
func twoBits(levels []uint8, x []float32, inverse float32) { twoBitsGeneric(levels, x, inverse) }
func peakOf(x []float32) float32                           { return absPeak(x) }
func quantizeQ1_0(dst []byte, src []float32)               { quantizeQ1_0Generic(dst, src) }
