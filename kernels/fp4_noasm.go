//go:build purego || !amd64

package kernels

func quantizeMXFP4(dst []byte, src []float32) { quantizeMXFP4Generic(dst, src) }
func quantizeNVFP4(dst []byte, src []float32) { quantizeNVFP4Generic(dst, src) }
