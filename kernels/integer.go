package kernels

import "encoding/binary"

// Integers as float32: exact up to ±2²⁴, beyond that rounded to nearest even,
// which is what Go's conversion from an integer does in one step.

// DecodeI8 converts int8 to float32, exactly.
func DecodeI8(dst []float32, src []byte) {
	checkBytes("DecodeI8", len(dst), 1, len(src))
	for i, b := range src {
		dst[i] = float32(int8(b))
	}
}

// DecodeU8 converts uint8 to float32, exactly.
func DecodeU8(dst []float32, src []byte) {
	checkBytes("DecodeU8", len(dst), 1, len(src))
	for i, b := range src {
		dst[i] = float32(b)
	}
}

// DecodeI16 converts int16 to float32, exactly.
func DecodeI16(dst []float32, src []byte) {
	checkBytes("DecodeI16", len(dst), 2, len(src))
	for i := range dst {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(src[2*i:])))
	}
}

// DecodeU16 converts uint16 to float32, exactly.
func DecodeU16(dst []float32, src []byte) {
	checkBytes("DecodeU16", len(dst), 2, len(src))
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// DecodeI32 rounds int32 to float32.
func DecodeI32(dst []float32, src []byte) {
	checkBytes("DecodeI32", len(dst), 4, len(src))
	for i := range dst {
		dst[i] = float32(int32(binary.LittleEndian.Uint32(src[4*i:])))
	}
}

// DecodeU32 rounds uint32 to float32.
func DecodeU32(dst []float32, src []byte) {
	checkBytes("DecodeU32", len(dst), 4, len(src))
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// DecodeI64 rounds int64 to float32.
func DecodeI64(dst []float32, src []byte) {
	checkBytes("DecodeI64", len(dst), 8, len(src))
	for i := range dst {
		dst[i] = float32(int64(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// DecodeU64 rounds uint64 to float32.
func DecodeU64(dst []float32, src []byte) {
	checkBytes("DecodeU64", len(dst), 8, len(src))
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint64(src[8*i:]))
	}
}

// DecodeBool converts truth values of one byte: 0 is 0, anything else is 1.
func DecodeBool(dst []float32, src []byte) {
	checkBytes("DecodeBool", len(dst), 1, len(src))
	for i, b := range src {
		dst[i] = 1
		if b == 0 {
			dst[i] = 0
		}
	}
}
