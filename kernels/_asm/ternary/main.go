// Command ternary generates the rounding of values to -1, 0 and 1, and to signs alone.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// order puts the lanes in order that narrowing leaves interleaved.
var order Mem

const (
	lessOrEqual    = U8(2)
	greaterOrEqual = U8(13)
	greater        = U8(14)
)

func main() {
	ConstraintExpr("!purego")
	order = constant("ternaryOrder", func(i int) uint32 { return uint32(i/2 + i%2*4) })
	half := func() VecVirtual { return simd.Const32(YMM, math.Float32bits(0.5)) }
	minusHalf := func() VecVirtual { return simd.Const32(YMM, math.Float32bits(-0.5)) }

	simd.Func("tritsAVX2", "func(levels []uint8, x []float32, inverse float32)",
		"tritsAVX2 is tritsGeneric for a finite inverse and a positive number of times 32.")
	plus, minus, one := half(), minusHalf(), simd.Const32(YMM, 1)
	round(func(v, level VecVirtual) {
		low := YMM()
		VCMPPS(greaterOrEqual, plus, v, level)
		VPSUBD(level, one, level)
		VCMPPS(lessOrEqual, minus, v, low)
		VPADDD(low, level, level)
	})

	simd.Func("twoBitsAVX2", "func(levels []uint8, x []float32, inverse float32)",
		"twoBitsAVX2 is twoBitsGeneric for a finite inverse and a positive number of times 32.")
	plus, minus = half(), minusHalf()
	zero := YMM()
	VPXOR(zero, zero, zero)
	round(func(v, level VecVirtual) {
		high := YMM()
		VCMPPS(greater, minus, v, level)
		VCMPPS(greaterOrEqual, plus, v, high)
		VPADDD(high, level, level)
		VPSUBD(level, zero, level)
	})
	binary()
	Generate()
}

// round emits the loop: level sets the levels of 8 values times the inverse.
func round(level func(v, level VecVirtual)) {
	levels, x, n := simd.Slice("levels", 1), simd.Slice("x", 4), simd.Len("levels")
	inverse, lanes := simd.Scalar32("inverse", YMM), YMM()
	VMOVDQU(order, lanes)
	Label("values")
	var l [4]VecVirtual
	for i := range l {
		v := YMM()
		l[i] = YMM()
		VMULPS(x.At(8*i), inverse, v)
		level(v, l[i])
	}
	VPACKUSDW(l[1], l[0], l[0])
	VPACKUSDW(l[3], l[2], l[2])
	VPACKUSWB(l[2], l[0], l[0])
	VPERMD(l[0], lanes, l[0])
	VMOVDQU(l[0], levels.At(0))
	ADDQ(U32(128), x.Base)
	ADDQ(U8(32), levels.Base)
	SUBQ(U8(32), n)
	JNZ(LabelRef("values"))
	VZEROUPPER()
	RET()
}
