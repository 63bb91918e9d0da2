package kernels

import (
	"encoding/binary"
	"math"
)

func decodeBF16Generic(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func encodeBF16Generic(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], roundBF16(math.Float32bits(v)))
	}
}

// roundBF16 rounds a float32 given by its bits to bfloat16. A carry out of the
// mantissa goes into the exponent, and from the greatest number to infinity.
func roundBF16(u uint32) uint16 {
	if u&^f32Sign > f32Inf {
		u |= f32Quiet
	} else {
		u += 0x7fff + u>>16&1
	}
	return uint16(u >> 16)
}
