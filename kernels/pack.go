package kernels

import "encoding/binary"

// Quantized blocks store the bits of their levels in planes: a byte holds bits of
// elements that lie 16, 32 or 64 apart. That makes packing the same few shifts for
// eight neighbouring bytes at once.

// eachByte returns b in each byte of a word.
func eachByte(b byte) uint64 { return 0x0101010101010101 * uint64(b) }

// packNibbles stores the low four bits of levels, in groups of 2·half elements:
// byte i of a group holds element i (low) and element i+half (high).
func packNibbles(dst []byte, levels []uint8, half int) {
	for ; len(levels) > 0; dst, levels = dst[half:], levels[2*half:] {
		for i := 0; i < half; i += 8 {
			lo := binary.LittleEndian.Uint64(levels[i:]) & eachByte(15)
			hi := binary.LittleEndian.Uint64(levels[i+half:]) & eachByte(15)
			binary.LittleEndian.PutUint64(dst[i:], lo|hi<<4)
		}
	}
}

// unpackNibbles is the inverse of packNibbles.
func unpackNibbles(levels []uint8, src []byte, half int) {
	for ; len(src) > 0; src, levels = src[half:], levels[2*half:] {
		for i := 0; i < half; i += 8 {
			v := binary.LittleEndian.Uint64(src[i:])
			binary.LittleEndian.PutUint64(levels[i:], v&eachByte(15))
			binary.LittleEndian.PutUint64(levels[i+half:], v>>4&eachByte(15))
		}
	}
}

// packPairs stores the bits shift and shift+1 of levels, in groups of 128: byte i
// of a group holds, from low to high, elements i, i+32, i+64 and i+96.
func packPairs(dst []byte, levels []uint8, shift int) {
	for ; len(levels) > 0; dst, levels = dst[32:], levels[128:] {
		for i := 0; i < 32; i += 8 {
			var v uint64
			for j := range 4 {
				l := binary.LittleEndian.Uint64(levels[i+32*j:])
				v |= (l >> shift & eachByte(3)) << (2 * j)
			}
			binary.LittleEndian.PutUint64(dst[i:], v)
		}
	}
}

// unpackPairs is the inverse of packPairs: it sets the bits in levels.
func unpackPairs(levels []uint8, src []byte, shift int) {
	for ; len(src) > 0; src, levels = src[32:], levels[128:] {
		for i := 0; i < 32; i += 8 {
			v := binary.LittleEndian.Uint64(src[i:])
			for j := range 4 {
				p := levels[i+32*j:]
				l := binary.LittleEndian.Uint64(p)
				binary.LittleEndian.PutUint64(p, l|(v>>(2*j)&eachByte(3))<<shift)
			}
		}
	}
}

// packBits stores one bit of each of 256 levels in 32 bytes: bit j of byte i is
// that of element i+32·j.
func packBits(dst []byte, levels []uint8, bit int) {
	for i := 0; i < 32; i += 8 {
		var v uint64
		for j := range 8 {
			l := binary.LittleEndian.Uint64(levels[i+32*j:])
			v |= (l >> bit & eachByte(1)) << j
		}
		binary.LittleEndian.PutUint64(dst[i:], v)
	}
}

// unpackBits is the inverse of packBits: it sets the bit in levels.
func unpackBits(levels []uint8, src []byte, bit int) {
	for i := 0; i < 32; i += 8 {
		v := binary.LittleEndian.Uint64(src[i:])
		for j := range 8 {
			p := levels[i+32*j:]
			l := binary.LittleEndian.Uint64(p)
			binary.LittleEndian.PutUint64(p, l|(v>>j&eachByte(1))<<bit)
		}
	}
}

// subtractLevels subtracts n from levels of 0..127, giving int8 values.
func subtractLevels(levels []uint8, n byte) {
	for i := 0; i < len(levels); i += 8 {
		l := binary.LittleEndian.Uint64(levels[i:])
		binary.LittleEndian.PutUint64(levels[i:], (l|eachByte(0x80))-eachByte(n)^eachByte(0x80)) // no borrow crosses a byte
	}
}

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
