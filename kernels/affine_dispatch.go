package kernels

func extremesOf(x []float32) (low, high float32) { return extremesGeneric(x) }
func encodeAffine(dst []uint8, x []float32, scale, bias, high float32) {
	encodeAffineGeneric(dst, x, scale, bias, high)
}
