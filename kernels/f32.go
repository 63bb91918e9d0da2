package kernels

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// DecodeF32 copies little-endian float32 to dst, bit for bit:
//
//	for i := range dst {
//		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
//	}
func DecodeF32(dst []float32, src []byte) {
	checkBytes("DecodeF32", len(dst), 4, len(src))
	if littleEndian {
		copy(bytesOf(dst), src)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// EncodeF32 copies src to little-endian float32, bit for bit. It undoes [DecodeF32].
func EncodeF32(dst []byte, src []float32) {
	checkBytes("EncodeF32", len(src), 4, len(dst))
	if littleEndian {
		copy(dst, bytesOf(src))
		return
	}
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
}

// littleEndian says that float32 in memory look as they do in files.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf returns the memory of x, so that copying it is one memmove.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
