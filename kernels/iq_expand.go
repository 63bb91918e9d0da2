package kernels

import "encoding/binary"

// The IQ formats decode through codebooks of whole groups: a group is a look-up of 8
// signed bytes, or two of 4.

// setGroup sets the levels of group g of 8 values.
func (e *expansion) setGroup(g int, values uint64) {
	binary.LittleEndian.PutUint64(e.levels[8*g:], values)
}

// withSigns negates the bytes whose sign bits are set. None may be zero.
func withSigns(values uint64, signs uint8) uint64 {
	negative := signBytes[signs]
	return values ^ negative + negative&eachByte(1)
}

// signBytes has all bits of byte i set if bit i of the index is.
var signBytes = func() (table [256]uint64) {
	for signs := range table {
		for i := range 8 {
			table[signs] |= -uint64(signs>>i&1) & 0xff << (8 * i)
		}
	}
	return table
}()

// evenSigns returns the 8 sign bits of which 7 are stored.
func evenSigns(stored uint8) uint8 {
	stored &= 0x7f
	return stored | parity8(stored)<<7
}

// iq1Group returns 8·(t+δ) for the values of a point, negative saying whether δ is.
func iq1Group(values uint64, negative uint16) uint64 {
	// The table has 8·t + 17.
	return (values | eachByte(0x80)) - eachByte(16+2*byte(negative)) ^ eachByte(0x80) // no borrow crosses a byte
}
