package kernels

// DecodeF64 rounds float64 to float32:
//
//	for i := range dst {
//		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
//	}
//
// To reach a 16-bit format, round once with [F64ToF16] or [F64ToBF16]: going by
// way of float32 rounds twice, and wrongly where the first rounding makes a tie.
func DecodeF64(dst []float32, src []byte) {
	checkBytes("DecodeF64", len(dst), 8, len(src))
	decodeF64(dst, src)
}

// EncodeF64 widens float32 to float64, exactly. A signaling NaN becomes quiet.
func EncodeF64(dst []byte, src []float32) {
	checkBytes("EncodeF64", len(src), 8, len(dst))
	encodeF64(dst, src)
}

// F64ToF32 rounds float64 to float32 as [DecodeF64] does, from bytes to bytes.
func F64ToF32(dst, src []byte) {
	checkBytes("F64ToF32", len(dst)/4, 8, len(src))
	checkBytes("F64ToF32", len(dst)/4, 4, len(dst))
	f64ToF32(dst, src)
}

// F64ToF16 rounds float64 to IEEE 754 binary16, in one rounding.
func F64ToF16(dst, src []byte) {
	checkBytes("F64ToF16", len(dst)/2, 8, len(src))
	checkBytes("F64ToF16", len(dst)/2, 2, len(dst))
	f64ToF16(dst, src)
}

// F64ToBF16 rounds float64 to bfloat16, in one rounding.
func F64ToBF16(dst, src []byte) {
	checkBytes("F64ToBF16", len(dst)/2, 8, len(src))
	checkBytes("F64ToBF16", len(dst)/2, 2, len(dst))
	f64ToBF16(dst, src)
}
