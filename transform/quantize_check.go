package transform

import (
	"encoding/binary"

	"github.com/loratool/loratool/formats"
)

// halfFields are where the blocks of a format have float16 numbers: F16's own, and
// the scales of block formats. What is too large for them becomes infinite.
var halfFields = map[formats.DType][]int{
	formats.F16:     {0},
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

// beyondBlocks is more than block formats with float16 scales can express: 65504
// times a scale of up to 127 and a level of up to 127 is less. The quantizers
// square and add numbers, so that what is much larger would become infinite on
// the way, and the block something arbitrary.
const beyondBlocks = 1 << 30

// firstInfinite returns the index of the first block of data that has a number
// that is infinite or no number, or -1.
func firstInfinite(d formats.DType, data []byte) int {
	size := d.BlockBytes()
	offsets, exponent := halfFields[d], uint16(0x7c00)
	if d == formats.BF16 {
		offsets, exponent = []int{0}, 0x7f80
	}
	for i := 0; i+size <= len(data); i += size {
		block := data[i : i+size]
		for _, o := range offsets {
			if binary.LittleEndian.Uint16(block[o:])&exponent == exponent {
				return i / size
			}
		}
		switch {
		case d == formats.IQ1_M && iq1mScale(block)&0x7c00 == 0x7c00,
			d == formats.MXFP4 && block[0] == 0xff:
			return i / size
		}
	}
	return -1
}

// iq1mScale returns the float16 that the top nibbles of IQ1_M's scales hold.
func iq1mScale(block []byte) uint16 {
	var d uint16
	for i := range 4 {
		d |= binary.LittleEndian.Uint16(block[48+2*i:]) >> 12 << (4 * i)
	}
	return d
}
