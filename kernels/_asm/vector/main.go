// Command vector generates vector arithmetic.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func main() {
	ConstraintExpr("!purego")
	addScaledAVX2()
	scaleAVX2()
	subAVX2()
	maxAbsDiffAVX2()

	addScaledAVX512()
	scaleAVX512()
	subAVX512()
	maxAbsDiffAVX512()
	Generate()
}

// unordered is the comparison that is true if either operand is NaN.
const unordered = U8(3)

func nanConst(kind func() VecVirtual) VecVirtual { return simd.Const32(kind, 0x7fc00000) }

// canonical replaces every NaN in v by the one in nan.
func canonical(v, nan VecVirtual) {
	if v.Size() == 64 {
		k := K()
		VCMPPS(unordered, v, v, k)
		VMOVDQA32(nan, k, v)
		return
	}
	mask := YMM()
	VCMPPS(unordered, v, v, mask)
	VBLENDVPS(mask, nan, v, v)
}

func addScaledAVX2() {
	simd.Func("addScaledAVX2", "func(y []float32, a float32, x []float32)",
		"addScaledAVX2 is addScaledGeneric for len(y) a multiple of 8.")
	y, x, n := simd.Slice("y", 4), simd.Slice("x", 4), simd.Len("y")
	a, nan := simd.Scalar32("a", YMM), nanConst(YMM)
	simd.Blocks(n, 8, 4, []simd.Array{y, x}, func(i int) {
		v := YMM()
		VMULPS(x.At(i), a, v)
		VADDPS(y.At(i), v, v)
		canonical(v, nan)
		VMOVUPS(v, y.At(i))
	})
	VZEROUPPER()
	RET()
}

func addScaledAVX512() {
	simd.Func("addScaledAVX512", "func(y []float32, a float32, x []float32)",
		"addScaledAVX512 is addScaledGeneric.")
	y, x, n := simd.Slice("y", 4), simd.Slice("x", 4), simd.Len("y")
	a, nan := simd.Scalar32("a", ZMM), nanConst(ZMM)
	simd.Masked(n, 16, 4, []simd.Array{y, x}, func(i int, k Register) {
		v := simd.LoadMasked(x.At(i), k, ZMM())
		sum := simd.LoadMasked(y.At(i), k, ZMM())
		VMULPS(a, v, v)
		VADDPS(v, sum, sum)
		canonical(sum, nan)
		simd.StoreMasked(sum, k, y.At(i))
	})
	VZEROUPPER()
	RET()
}

func scaleAVX2() {
	simd.Func("scaleAVX2", "func(y []float32, a float32)", "scaleAVX2 is scaleGeneric for len(y) a multiple of 8.")
	y, n := simd.Slice("y", 4), simd.Len("y")
	a, nan := simd.Scalar32("a", YMM), nanConst(YMM)
	simd.Blocks(n, 8, 4, []simd.Array{y}, func(i int) {
		v := YMM()
		VMULPS(y.At(i), a, v)
		canonical(v, nan)
		VMOVUPS(v, y.At(i))
	})
	VZEROUPPER()
	RET()
}

func scaleAVX512() {
	simd.Func("scaleAVX512", "func(y []float32, a float32)", "scaleAVX512 is scaleGeneric.")
	y, n := simd.Slice("y", 4), simd.Len("y")
	a, nan := simd.Scalar32("a", ZMM), nanConst(ZMM)
	simd.Masked(n, 16, 4, []simd.Array{y}, func(i int, k Register) {
		v := simd.LoadMasked(y.At(i), k, ZMM())
		VMULPS(a, v, v)
		canonical(v, nan)
		simd.StoreMasked(v, k, y.At(i))
	})
	VZEROUPPER()
	RET()
}

func subAVX2() {
	simd.Func("subAVX2", "func(dst, x, y []float32)", "subAVX2 is subGeneric for len(dst) a multiple of 8.")
	dst, x, y, n := simd.Slice("dst", 4), simd.Slice("x", 4), simd.Slice("y", 4), simd.Len("dst")
	nan := nanConst(YMM)
	simd.Blocks(n, 8, 4, []simd.Array{dst, x, y}, func(i int) {
		v := YMM()
		VMOVUPS(x.At(i), v)
		VSUBPS(y.At(i), v, v)
		canonical(v, nan)
		VMOVUPS(v, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func subAVX512() {
	simd.Func("subAVX512", "func(dst, x, y []float32)", "subAVX512 is subGeneric.")
	dst, x, y, n := simd.Slice("dst", 4), simd.Slice("x", 4), simd.Slice("y", 4), simd.Len("dst")
	nan := nanConst(ZMM)
	simd.Masked(n, 16, 4, []simd.Array{dst, x, y}, func(i int, k Register) {
		v := simd.LoadMasked(x.At(i), k, ZMM())
		w := simd.LoadMasked(y.At(i), k, ZMM())
		VSUBPS(w, v, v)
		canonical(v, nan)
		simd.StoreMasked(v, k, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func maxAbsDiffAVX2() {
	simd.Func("maxAbsDiffAVX2", "func(x, y []float32) uint32",
		"maxAbsDiffAVX2 returns the greatest bits of a difference without its sign, for",
		"len(x) a multiple of 8.")
	x, y, n := simd.Slice("x", 4), simd.Slice("y", 4), simd.Len("x")
	abs, max := simd.Const32(YMM, 0x7fffffff), YMM()
	VPXOR(max, max, max)
	simd.Blocks(n, 8, 4, []simd.Array{x, y}, func(i int) {
		v := YMM()
		VMOVUPS(x.At(i), v)
		VSUBPS(y.At(i), v, v)
		VPAND(abs, v, v)
		VPMAXUD(v, max, max)
	})
	Store(simd.Reduce32(max, VPMAXUD), ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func maxAbsDiffAVX512() {
	simd.Func("maxAbsDiffAVX512", "func(x, y []float32) uint32",
		"maxAbsDiffAVX512 is maxAbsDiffAVX2 for len(x) a multiple of 16.")
	x, y, n := simd.Slice("x", 4), simd.Slice("y", 4), simd.Len("x")
	abs, max := simd.Const32(ZMM, 0x7fffffff), ZMM()
	VPXORD(max, max, max)
	simd.Blocks(n, 16, 4, []simd.Array{x, y}, func(i int) {
		v := ZMM()
		VMOVUPS(x.At(i), v)
		VSUBPS(y.At(i), v, v)
		VPANDD(abs, v, v)
		VPMAXUD(v, max, max)
	})
	Store(simd.Reduce32(max, VPMAXUD), ReturnIndex(0))
	VZEROUPPER()
	RET()
}
