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
	x, n, s := simd.Slice("x", 4), simd.Len("x"), simd.Scalar32("s", YMM)
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

// fitE2M1 generates the sum of FitE2M1. A register holds all values of the format, and
// another one the midpoints between them in the order of a tree, both times the scale; see
// bisect. The magnitudes are enough, since the square of the difference has no sign.
func fitE2M1() {
	simd.Func("fitE2M1AVX2", "func(x []float32, s float32) (failure float32)",
		"fitE2M1AVX2 is fitE2M1Generic for a positive number of times 16, without NaNs.")
	x, n, s := simd.Slice("x", 4), simd.Len("x"), simd.Scalar32("s", YMM)
	nodes, root, scaled := YMM(), YMM(), YMM()
	VMULPS(table("e2m1Values", 0, 0.5, 1, 1.5, 2, 3, 4, 6), s, scaled)
	VMULPS(constant("fitHalf", 0.5), s, nodes)
	VMULPS(table("fitTree", tree([]float32{0.5, 1.5, 2.5, 3.5, 5, 7, 10})[:8]...), nodes, nodes)
	magnitude, one, two := simd.Const32(YMM, 0x7fffffff), simd.Const32(YMM, 1), simd.Const32(YMM, 2)
	VPERMPS(nodes, one, root)
	sums := [2]VecVirtual{YMM(), YMM()}
	for _, sum := range sums {
		VPXOR(sum, sum, sum)
	}
	Label("values")
	for j, sum := range sums {
		v, node, middle, above := YMM(), YMM(), YMM(), YMM()
		VANDPS(x.At(8*j), magnitude, v)
		VCMPPS(less, v, root, above) // root < v
		VPSUBD(above, two, node)
		for range 2 {
			VPERMPS(nodes, node, middle)
			VCMPPS(less, v, middle, above)
			VPADDD(node, node, node)
			VPSUBD(above, node, node)
		}
		VPERMPS(scaled, node, middle) // by the code, which is in the 3 lowest bits
		VSUBPS(middle, v, v)
		VMULPS(v, v, v)
		VADDPS(v, sum, sum)
	}
	ADDQ(U8(64), x.Base)
	SUBQ(U8(16), n)
	JNZ(LabelRef("values"))
	VADDPS(sums[1], sums[0], sums[0])
	fold(sums[0], func(ops ...Op) { VADDPS(ops[0], ops[1], ops[2]) }, result("failure"))
	VZEROUPPER()
	RET()
}
