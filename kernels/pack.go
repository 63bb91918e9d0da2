package kernels

import "encoding/binary"

// Quantized blocks store the bits of their levels in planes: a byte holds bits of
// elements that lie 16, 32 or 64 apart. That makes packing the same few shifts for
// eight neighbouring bytes at once.

// eachByte returns b in each byte of a word.
func eachByte(b byte) uint64 { return 0x0101010101010101 * uint64(b) }

// fifthBits returns bit 4 of each of 32 levels: bit j belongs to element j.
func fifthBits(levels *[32]uint8) (bits uint32) {
	for i := 0; i < 32; i += 8 {
		v := binary.LittleEndian.Uint64(levels[i:]) >> 4 & eachByte(1)
		// The product moves bit 8·j to bit 56+j; no two terms meet.
		bits |= uint32(v*0x0102040810204080>>56) << i
	}
	return bits
}

// setFifthBits is the inverse of fifthBits: it sets bit 4 in levels.
func setFifthBits(levels []uint8, bits uint32) {
	for i := 0; i < 32; i += 8 {
		v := eachByte(byte(bits>>i)) & 0x8040201008040201 // bit j alone in byte j
		v = (v + eachByte(0x7f)) >> 7 & eachByte(1)       // as 0 or 1
		l := binary.LittleEndian.Uint64(levels[i:])
		binary.LittleEndian.PutUint64(levels[i:], l|v<<4)
	}
}
