package kernels

import "encoding/binary"

// packNibblesGeneric stores the low four bits of levels, in groups of 2·half elements:
// byte i of a group holds element i (low) and element i+half (high).
func packNibblesGeneric(dst []byte, levels []uint8, half int) {
	for ; len(levels) > 0; dst, levels = dst[half:], levels[2*half:] {
		for i := 0; i < half; i += 8 {
			lo := binary.LittleEndian.Uint64(levels[i:]) & eachByte(15)
			hi := binary.LittleEndian.Uint64(levels[i+half:]) & eachByte(15)
			binary.LittleEndian.PutUint64(dst[i:], lo|hi<<4)
		}
	}
}

// unpackNibblesGeneric is the inverse of packNibblesGeneric.
func unpackNibblesGeneric(levels []uint8, src []byte, half int) {
	for ; len(src) > 0; src, levels = src[half:], levels[2*half:] {
		for i := 0; i < half; i += 8 {
			v := binary.LittleEndian.Uint64(src[i:])
			binary.LittleEndian.PutUint64(levels[i:], v&eachByte(15))
			binary.LittleEndian.PutUint64(levels[i+half:], v>>4&eachByte(15))
		}
	}
}

// packPairsGeneric stores the bits shift and shift+1 of levels, in groups of 128: byte i
// of a group holds, from low to high, elements i, i+32, i+64 and i+96.
func packPairsGeneric(dst []byte, levels []uint8, shift int) {
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

// unpackPairsGeneric is the inverse of packPairsGeneric: it sets the bits in levels.
func unpackPairsGeneric(levels []uint8, src []byte, shift int) {
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

// packBitsGeneric stores one bit of each of 256 levels in 32 bytes: bit j of byte i is
// that of element i+32·j.
func packBitsGeneric(dst []byte, levels []uint8, bit int) {
	for i := 0; i < 32; i += 8 {
		var v uint64
		for j := range 8 {
			l := binary.LittleEndian.Uint64(levels[i+32*j:])
			v |= (l >> bit & eachByte(1)) << j
		}
		binary.LittleEndian.PutUint64(dst[i:], v)
	}
}

// unpackBitsGeneric is the inverse of packBitsGeneric: it sets the bit in levels.
func unpackBitsGeneric(levels []uint8, src []byte, bit int) {
	for i := 0; i < 32; i += 8 {
		v := binary.LittleEndian.Uint64(src[i:])
		for j := range 8 {
			p := levels[i+32*j:]
			l := binary.LittleEndian.Uint64(p)
			binary.LittleEndian.PutUint64(p, l|(v>>j&eachByte(1))<<bit)
		}
	}
}

// subtractLevelsGeneric subtracts n from levels of 0..127, giving int8 values.
func subtractLevelsGeneric(levels []uint8, n byte) {
	for i := 0; i < len(levels); i += 8 {
		l := binary.LittleEndian.Uint64(levels[i:])
		binary.LittleEndian.PutUint64(levels[i:], (l|eachByte(0x80))-eachByte(n)^eachByte(0x80)) // no borrow crosses a byte
	}
}
