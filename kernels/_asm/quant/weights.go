package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// sumSquares adds x² to a sum.
func sumSquares(v isa) {
	simd.Func("sumSquaresLanes"+v.name, "func(sum *[16]float32, x *float32, n int)",
		"sumSquaresLanes"+v.name+" adds Σx² of n columns to sum, in order. n is a multiple of 4.")
	x, end, sum := v.columns("x"), v.byteLen(), v.load(loadFields("sum").at(0))
	v.each("column", end, 4, func(p position) {
		a := v.load(x.at(p))
		v.addTo(sum, v.mul(a, a))
	})
	VMOVUPS(sum, loadFields("sum").at(0))
	VZEROUPPER()
	RET()
}

// sumSquaresRows sums up x² of rows that it transposes on the way.
func sumSquaresRows(v isa) {
	simd.Func("sumSquaresRows"+v.name, "func(sum *[16]float32, rows *[16]*float32, n int)",
		"sumSquaresRows"+v.name+" sets sum to Σx² of n values of each of the rows, in order. n is a", "multiple of the lanes.")
	sum := v.zero()
	v.tiles(func(columns []VecVirtual) {
		for _, a := range columns {
			v.addTo(sum, v.mul(a, a))
		}
	})
	VMOVUPS(sum, loadFields("sum").at(0))
	VZEROUPPER()
	RET()
}

// deviationWeights sets w = |x| + √(perN·Σx²).
func deviationWeights(v isa) {
	simd.Func("deviationWeights"+v.name, "func(w, x *float32, n int, perN float32)",
		"deviationWeights"+v.name+" sets the n columns w to |x| + √(perN·Σx²). n is a multiple of 4.")
	w, x, end, rms := v.columns("w"), v.columns("x"), v.byteLen(), v.zero()
	v.each("square", end, 4, func(p position) {
		a := v.load(x.at(p))
		v.addTo(rms, v.mul(a, a))
	})
	VMULPS(v.param("perN"), rms, rms)
	VSQRTPS(rms, rms)
	noSign := v.bits(0x7fffffff)
	v.each("weight", end, 4, func(p position) {
		VMOVUPS(v.add(rms, v.and(noSign, x.at(p))), w.at(p))
	})
	VZEROUPPER()
	RET()
}

// importanceWeights sets w = importance·√(sigma2 + x²), and sum to their sum. It transposes
// the importance on the way, while it waits for roots.
func importanceWeights(v isa) {
	simd.Func("importanceWeights"+v.name, "func(w *float32, sum *[16]float32, x *float32, rows *[16]*float32, sigma2 *[16]float32, n int)",
		"importanceWeights"+v.name+" sets the n columns w to importance·√(sigma2 + x²), with the importance", "in rows, and sum to Σw, added in order. n is a multiple of the lanes.")
	w, x, sum := v.columns("w"), v.columns("x"), v.zero()
	sigma2 := v.load(loadFields("sigma2").at(0))
	v.tiles(func(columns []VecVirtual) {
		for i, importance := range columns {
			a := v.load(x.first(i))
			b := v.mul(v.sqrt(v.add(sigma2, v.mul(a, a))), importance)
			VMOVUPS(b, w.first(i))
			v.addTo(sum, b)
		}
		ADDQ(U32(v.lanes*v.bytes()), x.base)
		ADDQ(U32(v.lanes*v.bytes()), w.base)
	})
	VMOVUPS(sum, loadFields("sum").at(0))
	VZEROUPPER()
	RET()
}

// squareWeights sets w = x².
func squareWeights(v isa) {
	simd.Func("squareWeights"+v.name, "func(w, x *float32, n int)",
		"squareWeights"+v.name+" sets the n columns w to x². n is a multiple of 4.")
	w, x, end := v.columns("w"), v.columns("x"), v.byteLen()
	v.each("column", end, 4, func(p position) {
		a := v.load(x.at(p))
		VMOVUPS(v.mul(a, a), w.at(p))
	})
	VZEROUPPER()
	RET()
}
