package kernels

// DecodeF16 widens IEEE 754 binary16 to float32, exactly:
//
//	for i := range dst {
//		dst[i] = float16.Frombits(binary.LittleEndian.Uint16(src[2*i:])).Float32()
//	}
//
// with github.com/x448/float16. A signaling NaN becomes quiet.
func DecodeF16(dst []float32, src []byte) {
	checkBytes("DecodeF16", len(dst), 2, len(src))
	decodeF16(dst, src)
}

// EncodeF16 rounds float32 to IEEE 754 binary16:
//
//	for i, v := range src {
//		binary.LittleEndian.PutUint16(dst[2*i:], float16.Fromfloat32(v).Bits())
//	}
//
// with github.com/x448/float16. Values of magnitude 65520 and more become
// infinity, those of 2⁻²⁵ and less become zero; see [CountF16].
func EncodeF16(dst []byte, src []float32) {
	checkBytes("EncodeF16", len(src), 2, len(dst))
	encodeF16(dst, src)
}
