package kernels

// AffineGroups finds scales and biases for codes of so many bits, as MLX does: the end of
// the range that is farther from zero gets an exact code, and zero gets one too.
//
//	n = 2^bits − 1
//	s = max((max−min)/n, 1e−7), negative unless |min| > |max|
//	e = min if |min| > |max|, else max
//	q = round(e/s); if q ≠ 0: s = e/q, b = e; else b = 0
//
// in float32, rounding to nearest even. [EncodeAffine] makes the codes.
func AffineGroups(scales, biases, x []float32, group, bits int) {
	checkGroups("AffineGroups", len(scales), len(x), group)
	checkGroups("AffineGroups", len(biases), len(x), group)
	groupExtremes(scales, biases, x, group)
	affineEnds(scales, biases, float32(int(1)<<bits-1))
}

// EncodeAffine stores the codes of [AffineGroups] as bytes, to nearest even:
//
//	dst[i] = min(max(round((x[i] − bias) / scale), 0), 2^bits−1)
func EncodeAffine(dst []uint8, x, scales, biases []float32, group, bits int) {
	checkGroups("EncodeAffine", len(scales), len(x), group)
	checkGroups("EncodeAffine", len(biases), len(x), group)
	checkBytes("EncodeAffine", len(x), 1, len(dst))
	affineLevels(dst, x, scales, biases, group, float32(int(1)<<bits-1))
}
