//go:build purego || !(amd64 || arm64)

package kernels

func quantizeQ4_0(dst []byte, src []float32)   { quantizeQ4_0Generic(dst, src) }
func quantizeQ8_0(dst []byte, src []float32)   { quantizeQ8_0Generic(dst, src) }
func expandLevels(dst []float32, e *expansion) { expandLevelsGeneric(dst, e) }
func lookUp(levels []uint8, table *[16]int8)   { lookUpGeneric(levels, table) }
