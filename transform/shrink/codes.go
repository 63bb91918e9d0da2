package shrink

import "github.com/loratool/loratool/kernels"

// unpackBits returns the unpacking of unsigned codes of so many bits that follow one
// another from the lowest bit of the first byte on, less an offset.
func unpackBits(bits, offset int) func(dst []float32, src []byte) {
	mask, bias := uint64(1)<<bits-1, int64(offset)
	return func(dst []float32, src []byte) {
		var window uint64
		have := 0
		for i := range dst {
			for have < bits {
				window |= uint64(src[0]) << have
				src, have = src[1:], have+8
			}
			dst[i] = float32(int64(window&mask) - bias)
			window, have = window>>bits, have-bits
		}
	}
}

// Codes of several formats, one row at a time.
var (
	unpackE2M1 = kernels.DecodeF4
	unpackE4M3 = kernels.DecodeF8E4M3
	unpackI8   = kernels.DecodeI8
)
