package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// fitInt4 generates the sums of FitInt4, each in two registers of 8 lanes.
func fitInt4() {
	simd.Func("fitInt4AVX2", "func(x []float32, s float32) (failure, xq, qq float32)",
		"fitInt4AVX2 is fitInt4Generic for a positive number of times 16.")
	x, n, s := simd.Slice("x", 4), simd.Len("x"), scalar("s")
	inverse, low, high := YMM(), load(constant("int4Low", -8)), load(constant("int4High", 7))
	VMOVUPS(constant("int4One", 1), inverse)
	VDIVPS(s, inverse, inverse)
	sums := [3][2]VecVirtual{}
	for i := range sums {
		for j := range sums[i] {
			sums[i][j] = YMM()
			VPXOR(sums[i][j], sums[i][j], sums[i][j])
		}
	}
	Label("values")
	for j := range 2 {
		v, q, d := YMM(), YMM(), YMM()
		VMOVUPS(x.At(8*j), v)
		VMULPS(v, inverse, q)
		VMAXPS(low, q, q) // low if q is NaN
		VMINPS(high, q, q)
		VROUNDPS(U8(0), q, q) // to nearest even
		VMULPS(s, q, d)
		VSUBPS(d, v, d)
		VMULPS(d, d, d)
		VADDPS(d, sums[0][j], sums[0][j])
		VMULPS(v, q, v)
		VADDPS(v, sums[1][j], sums[1][j])
		VMULPS(q, q, q)
		VADDPS(q, sums[2][j], sums[2][j])
	}
	ADDQ(U8(64), x.Base)
	SUBQ(U8(16), n)
	JNZ(LabelRef("values"))
	for i, name := range []string{"failure", "xq", "qq"} {
		VADDPS(sums[i][1], sums[i][0], sums[i][0])
		fold(sums[i][0], func(ops ...Op) { VADDPS(ops[0], ops[1], ops[2]) }, result(name))
	}
	VZEROUPPER()
	RET()
}
