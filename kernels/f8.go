package kernels

// DecodeF8E4M3 widens 8-bit floats with 4 exponent and 3 mantissa bits to
// float32, exactly. This is the "fn" form of the Open Compute Project's 8-bit
// floating point specification: bias 7, no infinity, NaN where all bits but the
// sign are set, greatest number 448.
func DecodeF8E4M3(dst []float32, src []byte) {
	checkBytes("DecodeF8E4M3", len(dst), 1, len(src))
	decodeF8E4M3(dst, src)
}

// EncodeF8E4M3 rounds float32 to F8_E4M3, to nearest even. Values beyond ±448,
// infinities too, become ±448: the format has no infinity.
func EncodeF8E4M3(dst []byte, src []float32) {
	checkBytes("EncodeF8E4M3", len(src), 1, len(dst))
	encodeF8E4M3(dst, src)
}

// DecodeF8E5M2 widens 8-bit floats with 5 exponent and 2 mantissa bits to
// float32, exactly. They are the upper halves of IEEE 754 binary16 numbers, with
// infinities and NaNs.
func DecodeF8E5M2(dst []float32, src []byte) {
	checkBytes("DecodeF8E5M2", len(dst), 1, len(src))
	f8E5M2.decode(dst, src)
}

// EncodeF8E5M2 rounds float32 to F8_E5M2, to nearest even. Values of magnitude
// 61440 and more become infinity.
func EncodeF8E5M2(dst []byte, src []float32) {
	checkBytes("EncodeF8E5M2", len(src), 1, len(dst))
	f8E5M2.encode(dst, src)
}

// DecodeF8E4M3FNUZ widens the E4M3 form of Graphcore and AMD to float32, exactly:
// bias 8, no infinity, no negative zero, 0x80 is the one NaN, greatest number 240.
func DecodeF8E4M3FNUZ(dst []float32, src []byte) {
	checkBytes("DecodeF8E4M3FNUZ", len(dst), 1, len(src))
	f8E4M3FNUZ.decode(dst, src)
}

// EncodeF8E4M3FNUZ rounds float32 to F8_E4M3FNUZ, to nearest even. Values beyond
// ±240, infinities too, become ±240.
func EncodeF8E4M3FNUZ(dst []byte, src []float32) {
	checkBytes("EncodeF8E4M3FNUZ", len(src), 1, len(dst))
	f8E4M3FNUZ.encode(dst, src)
}

// DecodeF8E5M2FNUZ widens the E5M2 form of Graphcore and AMD to float32, exactly:
// bias 16, no infinity, no negative zero, 0x80 is the one NaN, greatest number 57344.
func DecodeF8E5M2FNUZ(dst []float32, src []byte) {
	checkBytes("DecodeF8E5M2FNUZ", len(dst), 1, len(src))
	f8E5M2FNUZ.decode(dst, src)
}

// EncodeF8E5M2FNUZ rounds float32 to F8_E5M2FNUZ, to nearest even. Values beyond
// ±57344, infinities too, become ±57344.
func EncodeF8E5M2FNUZ(dst []byte, src []float32) {
	checkBytes("EncodeF8E5M2FNUZ", len(src), 1, len(dst))
	f8E5M2FNUZ.encode(dst, src)
}
