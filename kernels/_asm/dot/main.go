// Command dot generates sums of products in float64.
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
		dot(isa.name, isa.kind)
		sumSquares(isa.name, isa.kind)
	}
	Generate()
}

const lanes = 16 // partial sums, dotLanes of the generic code

func dot(isa string, kind func() VecVirtual) {
	simd.Func("dot"+isa, "func(lane *[16]float64, x, y []float32)",
		"dot"+isa+" adds the products to the partial sums, for len(x) a multiple of 16.")
	x, y, n := simd.Slice("x", 4), simd.Slice("y", 4), simd.Len("x")
	sums(kind, n, []simd.Array{x, y}, func(i int, sum VecVirtual) {
		v, w := kind(), kind()
		VCVTPS2PD(x.At(i), v)
		VCVTPS2PD(y.At(i), w)
		VFMADD231PD(w, v, sum)
	})
}

func sumSquares(isa string, kind func() VecVirtual) {
	simd.Func("sumSquares"+isa, "func(lane *[16]float64, x []float32)",
		"sumSquares"+isa+" adds the squares to the partial sums, for len(x) a multiple of 16.")
	x, n := simd.Slice("x", 4), simd.Len("x")
	sums(kind, n, []simd.Array{x}, func(i int, sum VecVirtual) {
		v := kind()
		VCVTPS2PD(x.At(i), v)
		VFMADD231PD(v, v, sum)
	})
}

// sums keeps the partial sums in registers while add, for each register of a
// block, adds the elements from i on to its sums.
func sums(kind func() VecVirtual, n Register, arrays []simd.Array, add func(i int, sum VecVirtual)) {
	lane := Load(Param("lane"), GP64())
	var sum []VecVirtual
	var at []Mem
	for i := 0; i < lanes; {
		v, m := kind(), Mem{Base: lane}.Offset(8*i)
		VMOVUPD(m, v)
		sum, at = append(sum, v), append(at, m)
		i += int(v.Size()) / 8
	}
	simd.Blocks(n, lanes, 2, arrays, func(i int) {
		for j, s := range sum {
			add(i+j*lanes/len(sum), s)
		}
	})
	for j, s := range sum {
		VMOVUPD(s, at[j])
	}
	VZEROUPPER()
	RET()
}
