package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

var order Mem

// ordered returns the permutation of 32-bit lanes that puts narrowed vectors in order.
func ordered() Mem {
	if order.Base == nil {
		order = GLOBL("ternaryOrder", attr.RODATA|attr.NOPTR)
		for i, lane := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
			DATA(4*i, U32(lane))
		}
	}
	return order
}
