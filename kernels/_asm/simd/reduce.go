package simd

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Reduce32 combines the 32-bit lanes of v by op, an associative and commutative
// instruction, and returns the result in a general register.
func Reduce32(v VecVirtual, op func(ops ...Op)) Register {
	if v.Size() == 64 {
		upper := YMM()
		VEXTRACTI64X4(U8(1), v, upper)
		op(upper, v.AsY(), v.AsY())
	}
	upper, x := XMM(), v.AsX()
	VEXTRACTI128(U8(1), v.AsY(), upper)
	op(upper, x, x)
	for _, shuffle := range []uint8{0b01_00_11_10, 0b10_11_00_01} { // halves, then pairs
		VPSHUFD(U8(shuffle), x, upper)
		op(upper, x, x)
	}
	g := GP32()
	VMOVD(x, g)
	return g
}
