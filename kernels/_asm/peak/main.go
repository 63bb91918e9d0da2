// Command peak generates loops that do nothing but multiply and add, for benchmarks
// to say what share of that the kernels reach.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func main() {
	ConstraintExpr("!purego")
	peak("multiplyAddsAVX2", YMM)
	peak("multiplyAddsAVX512", ZMM)
	Generate()
}

// chains is the number of sums that don't wait for one another: more than latency
// times instructions a cycle on any CPU.
const chains = 12

func peak(name string, kind func() VecVirtual) {
	simd.Func(name, "func(n int)", name+" does 12·n multiply-adds of whole registers, n at least 1.")
	n := Load(Param("n"), GP64())
	x := simd.Const32(kind, 0)
	var sums []VecVirtual
	for range chains {
		sums = append(sums, simd.Const32(kind, 0))
	}
	Label("loop")
	for _, s := range sums {
		VFMADD231PS(x, x, s)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
