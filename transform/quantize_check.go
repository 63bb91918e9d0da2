package transform

import (
	"encoding/binary"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// beyondBlocks is more than block formats with float16 scales can express: 65504
// times a scale of up to 127 and a level of up to 127 is less. The quantizers
// square and add numbers, so that what is much larger would become infinite on
// the way, and the block something arbitrary.
const beyondBlocks = 1 << 30

// beyondRange returns the index of the first of the finite numbers x that format d
// can't express even nearly, or -1.
func beyondRange(d formats.DType, x []float32) int {
	limit := float32(beyondBlocks)
	switch _, scaled := halfScales[d]; {
	case d == formats.F16:
		limit = 65520 // from here on numbers round to infinity
	case d == formats.BF16:
		if overflow, _ := kernels.CountBF16(x); overflow == 0 {
			return -1
		}
		limit = 0x1.ffp127
	case !scaled:
		return -1
	}
	if overflow, _ := kernels.CountF16(x); overflow == 0 {
		return -1
	}
	for i, v := range x {
		if max(v, -v) >= limit {
			return i
		}
	}
	return -1
}

// halfScales are where blocks have scales in float16. A scale that is too large
// for that becomes infinite.
var halfScales = map[formats.DType][]int{
	formats.Q4_0:    {0},
	formats.Q4_1:    {0, 2},
	formats.Q5_0:    {0},
	formats.Q5_1:    {0, 2},
	formats.Q8_0:    {0},
	formats.Q8_1:    {0, 2},
	formats.Q2_K:    {80, 82},
	formats.Q3_K:    {108},
	formats.Q4_K:    {0, 2},
	formats.Q5_K:    {0, 2},
	formats.Q6_K:    {208},
	formats.IQ2_XXS: {0},
	formats.IQ2_XS:  {0},
	formats.IQ3_XXS: {0},
	formats.IQ1_S:   {0},
	formats.IQ4_NL:  {0},
	formats.IQ3_S:   {0},
	formats.IQ2_S:   {0},
	formats.IQ4_XS:  {0},
	formats.TQ1_0:   {52},
	formats.TQ2_0:   {64},
	formats.Q1_0:    {0},
	formats.Q2_0:    {0},
}

// firstInfinite returns the index of the first block whose scale is infinite or no
// number, or -1.
func firstInfinite(d formats.DType, data []byte) int {
	size := d.BlockBytes()
	switch d {
	case formats.IQ1_M:
		for i := 0; i < len(data); i += size {
			if isInfinite(iq1mScale(data[i : i+size])) {
				return i / size
			}
		}
	case formats.MXFP4:
		for i := 0; i < len(data); i += size {
			if data[i] == 0xff {
				return i / size
			}
		}
	}
	for _, offset := range halfScales[d] {
		for i := offset; i < len(data); i += size {
			if isInfinite(binary.LittleEndian.Uint16(data[i:])) {
				return i / size
			}
		}
	}
	return -1
}

// isInfinite reports whether a float16 is an infinity or a NaN.
func isInfinite(h uint16) bool { return h&0x7c00 == 0x7c00 }

// iq1mScale returns the float16 that the top nibbles of IQ1_M's scales hold.
func iq1mScale(block []byte) uint16 {
	var d uint16
	for i := range 4 {
		d |= binary.LittleEndian.Uint16(block[48+2*i:]) >> 12 << (4 * i)
	}
	return d
}
