package kernels

import (
	"encoding/binary"
	"math"
)

func quantizeQ1_0Generic(dst []byte, src []float32) {
	for ; len(src) > 0; dst, src = dst[BlockSizeQ1_0:], src[BlockLenQ1_0:] {
		var sum float32
		for i := range 16 {
			var bits uint64
			for j, v := range src[8*i : 8*i+8] {
				sum += abs32(v)
				// Without a branch: x ≥ 0, that is neither NaN nor below, once -0 is 0.
				bits |= (uint64(math.Float32bits(v+0)) - (f32Inf + 1)) >> 63 << j
			}
			dst[2+i] = uint8(bits)
		}
		binary.LittleEndian.PutUint16(dst, halfBits(sum/128))
	}
}

// tritsGeneric sets levels to x·inverse, which is in -1..1, rounded to an integer, plus
// 1. For blocks so small that inverse is infinite it sets them to 1.
func tritsGeneric(levels []uint8, x []float32, inverse float32) {
	if inverse > maxFloat32 {
		for i := range levels {
			levels[i] = 1
		}
		return
	}
	for i, v := range x[:len(levels)] {
		v *= inverse
		var up, down uint8 // without a branch
		if v >= 0.5 {
			up = 1
		}
		if v <= -0.5 {
			down = 1
		}
		levels[i] = 1 + up - down
	}
}

// twoBitsGeneric sets levels to x·inverse, rounded, plus 1. For blocks so small that
// inverse is infinite they are 0: there the reference quantizer's conversion to an
// integer overflows.
func twoBitsGeneric(levels []uint8, x []float32, inverse float32) {
	if inverse > maxFloat32 {
		clear(levels)
		return
	}
	for i, v := range x[:len(levels)] {
		v *= inverse
		var above, up uint8 // without a branch
		if v > -0.5 {
			above = 1
		}
		if v >= 0.5 {
			up = 1
		}
		levels[i] = above + up
	}
}
