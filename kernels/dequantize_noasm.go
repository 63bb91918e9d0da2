//go:build purego || !amd64

package kernels

func dequantizeQ4_0(dst []float32, src []byte)   { dequantizeQ4_0Generic(dst, src) }
func dequantizeQ4_1(dst []float32, src []byte)   { dequantizeQ4_1Generic(dst, src) }
func dequantizeQ5_0(dst []float32, src []byte)   { dequantizeQ5_0Generic(dst, src) }
func dequantizeQ5_1(dst []float32, src []byte)   { dequantizeQ5_1Generic(dst, src) }
func dequantizeQ8_0(dst []float32, src []byte)   { dequantizeQ8_0Generic(dst, src) }
func dequantizeIQ4_NL(dst []float32, src []byte) { dequantizeIQ4_NLGeneric(dst, src) }
func dequantizeMXFP4(dst []float32, src []byte)  { dequantizeMXFP4Generic(dst, src) }
