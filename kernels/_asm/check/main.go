// Command check generates the searches for values that are not finite, or that a
// narrower format would not hold.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func main() {
	ConstraintExpr("!purego")
	leadingFiniteAVX2()
	countOutsideAVX2()

	leadingFiniteAVX512()
	countOutsideAVX512()
	Generate()
}

const (
	f32Abs = 0x7fffffff
	f32Inf = 0x7f800000
)

func leadingFiniteAVX2() {
	simd.Func("leadingFiniteAVX2", "func(x []float32) int",
		"leadingFiniteAVX2 returns how many values of x are finite before the first block of",
		"32 where one is not, or before the rest that is no whole block.")
	x, n, inf := simd.Slice("x", 4), simd.Len("x"), simd.Const32(YMM, f32Inf)
	simd.Blocks(n, 32, 1, []simd.Array{x}, func(i int) {
		var found VecVirtual
		for j := range 4 {
			v := YMM()
			VPAND(x.At(i+8*j), inf, v)
			VPCMPEQD(inf, v, v)
			if j == 0 {
				found = v
			} else {
				VPOR(v, found, found)
			}
		}
		VPTEST(found, found)
		JNZ(LabelRef("found"))
	})
	Label("found")
	storeDone(n)
}

func leadingFiniteAVX512() {
	simd.Func("leadingFiniteAVX512", "func(x []float32) int",
		"leadingFiniteAVX512 is leadingFiniteAVX2 with blocks of 64.")
	x, n := simd.Slice("x", 4), simd.Len("x")
	simd.Blocks(n, 64, 1, []simd.Array{x}, func(i int) {
		found := K()
		for j := range 4 {
			const nanOrInf = 0x01 | 0x08 | 0x10 | 0x80 // quiet NaN, +∞, −∞, signaling NaN
			k := found
			if j > 0 {
				k = K()
			}
			VFPCLASSPSZ(U8(nanOrInf), x.At(i+16*j), k)
			if j > 0 {
				KORW(k, found, found)
			}
		}
		KORTESTW(found, found)
		JNZ(LabelRef("found"))
	})
	Label("found")
	storeDone(n)
}

// storeDone returns the length of x less what is left of it.
func storeDone(left Register) {
	done := Load(Param("x").Len(), GP64())
	SUBQ(left, done)
	Store(done, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// bound loads a uint32 parameter, plus one or minus one, to every lane.
func bound(name string, delta int, kind func() VecVirtual) VecVirtual {
	g, v := Load(Param(name), GP32()), kind()
	if delta > 0 {
		INCL(g)
	} else {
		DECL(g)
	}
	VMOVD(g, v.AsX())
	VPBROADCASTD(v.AsX(), v)
	return v
}

func countOutsideAVX2() {
	simd.Func("countOutsideAVX2", "func(x []float32, low, high uint32) (above, below uint32)",
		"countOutsideAVX2 is countOutsideGeneric for len(x) a multiple of 8, less than 1<<32.")
	x, n := simd.Slice("x", 4), simd.Len("x")
	abs, inf, zero := simd.Const32(YMM, f32Abs), simd.Const32(YMM, f32Inf), YMM()
	low, high := bound("low", +1, YMM), bound("high", -1, YMM)
	above, below := YMM(), YMM()
	VPXOR(zero, zero, zero)
	VPXOR(above, above, above)
	VPXOR(below, below, below)
	simd.Blocks(n, 8, 2, []simd.Array{x}, func(i int) {
		u, over, finite, under, nonzero := YMM(), YMM(), YMM(), YMM(), YMM()
		VPAND(x.At(i), abs, u)
		VPCMPGTD(high, u, over)
		VPCMPGTD(u, inf, finite)
		VPAND(over, finite, over)
		VPCMPGTD(u, low, under)
		VPCMPGTD(zero, u, nonzero)
		VPAND(under, nonzero, under)
		Comment("a mask is -1")
		VPSUBD(over, above, above)
		VPSUBD(under, below, below)
	})
	storeCounts(above, below)
}

func countOutsideAVX512() {
	simd.Func("countOutsideAVX512", "func(x []float32, low, high uint32) (above, below uint32)",
		"countOutsideAVX512 is countOutsideGeneric for len(x) a multiple of 16, less than 1<<32.")
	x, n := simd.Slice("x", 4), simd.Len("x")
	abs, inf, one := simd.Const32(ZMM, f32Abs), simd.Const32(ZMM, f32Inf), simd.Const32(ZMM, 1)
	low, high := bound("low", +1, ZMM), bound("high", -1, ZMM)
	above, below := ZMM(), ZMM()
	VPXORD(above, above, above)
	VPXORD(below, below, below)
	simd.Blocks(n, 16, 2, []simd.Array{x}, func(i int) {
		u, over, under := ZMM(), K(), K()
		VPANDD(x.At(i), abs, u)
		VPCMPGTD(high, u, over)
		VPCMPGTD(u, inf, over, over)
		VPCMPGTD(u, low, under)
		VPTESTMD(u, u, under, under)
		VPADDD(one, above, over, above)
		VPADDD(one, below, under, below)
	})
	storeCounts(above, below)
}

func storeCounts(above, below VecVirtual) {
	Store(simd.Reduce32(above, VPADDD), ReturnIndex(0))
	Store(simd.Reduce32(below, VPADDD), ReturnIndex(1))
	VZEROUPPER()
	RET()
}
