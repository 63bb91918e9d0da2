// Command wide generates the float64 arithmetic of small dense matrices.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func main() {
	ConstraintExpr("!purego")
	for _, isa := range []struct {
		name string
		kind func() VecVirtual
	}{{"AVX2", YMM}, {"AVX512", ZMM}} {
		addScaledDot(isa.name, isa.kind)
		subScaled(isa.name, isa.kind)
	}
	Generate()
}

const lanes = 16 // partial sums, dotLanes of the generic code

func addScaledDot(isa string, kind func() VecVirtual) {
	simd.Func("addScaledDot64"+isa, "func(lane *[16]float64, y []float64, a float64, x, z []float64)",
		"addScaledDot64"+isa+" adds a·x to y and the products of x and z to the partial sums,",
		"for len(y) a multiple of 16.")
	y, x, z, n := simd.Slice("y", 8), simd.Slice("x", 8), simd.Slice("z", 8), simd.Len("y")
	a := simd.Scalar64("a", kind)
	lane := Load(Param("lane"), GP64())
	var sum []VecVirtual
	var at []Mem
	for i := 0; i < lanes; {
		v, m := kind(), Mem{Base: lane}.Offset(8*i)
		VMOVUPD(m, v)
		sum, at = append(sum, v), append(at, m)
		i += int(v.Size()) / 8
	}
	simd.Blocks(n, lanes, 1, []simd.Array{y, x, z}, func(i int) {
		for j, s := range sum {
			i := i + j*lanes/len(sum)
			v, w := kind(), kind()
			VMOVUPD(x.At(i), v)
			VMULPD(z.At(i), v, w)
			VADDPD(w, s, s)
			VMULPD(a, v, v)
			VADDPD(y.At(i), v, v)
			VMOVUPD(v, y.At(i))
		}
	})
	for j, s := range sum {
		VMOVUPD(s, at[j])
	}
	VZEROUPPER()
	RET()
}

func subScaled(isa string, kind func() VecVirtual) {
	simd.Func("subScaled64"+isa, "func(y []float64, a float64, x []float64, b float64, z []float64)",
		"subScaled64"+isa+" is subScaled64Generic for len(y) a multiple of 16.")
	y, x, z, n := simd.Slice("y", 8), simd.Slice("x", 8), simd.Slice("z", 8), simd.Len("y")
	a, b := simd.Scalar64("a", kind), simd.Scalar64("b", kind)
	simd.Blocks(n, lanes, 1, []simd.Array{y, x, z}, func(i int) {
		for end := i + lanes; i < end; {
			v, w, old := kind(), kind(), kind()
			VMULPD(x.At(i), a, v)
			VMULPD(z.At(i), b, w)
			VADDPD(w, v, v)
			VMOVUPD(y.At(i), old)
			VSUBPD(v, old, old)
			VMOVUPD(old, y.At(i))
			i += int(v.Size()) / 8
		}
	})
	VZEROUPPER()
	RET()
}
