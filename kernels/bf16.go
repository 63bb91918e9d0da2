package kernels

// DecodeBF16 widens bfloat16 to float32, exactly: a bfloat16 is the upper half
// of a float32.
//
//	for i := range dst {
//		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
//	}
func DecodeBF16(dst []float32, src []byte) {
	checkBytes("DecodeBF16", len(dst), 2, len(src))
	decodeBF16(dst, src)
}

// EncodeBF16 rounds float32 to bfloat16, to nearest even:
//
//	for i, v := range src {
//		u := math.Float32bits(v)
//		if v != v {
//			u |= 1 << 22 // quiet, so that the upper half is a NaN too
//		} else {
//			u += 0x7fff + u>>16&1
//		}
//		binary.LittleEndian.PutUint16(dst[2*i:], uint16(u>>16))
//	}
func EncodeBF16(dst []byte, src []float32) {
	checkBytes("EncodeBF16", len(src), 2, len(dst))
	encodeBF16(dst, src)
}
