package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Where scale and min are in an expansion, behind the levels.
const (
	expansionScale = 256
	expansionMin   = 256 + 64
)

// expandLevels is the way from levels to floats.
func expandLevels(v isa) {
	simd.Func("expandLevels"+v.name, "func(dst []float32, levels *uint8)",
		"expandLevels"+v.name+" is expandLevelsGeneric of the expansion that starts with levels.")
	dst, n := simd.Slice("dst", 4), simd.Len("dst")
	levels := Load(Param("levels"), GP64())
	factors := GP64()
	MOVQ(levels, factors)
	Label("group")
	scale := v.broadcast(Mem{Base: factors, Disp: expansionScale})
	min := v.broadcast(Mem{Base: factors, Disp: expansionMin})
	for i := 0; i < 16; i += v.lanes {
		x := v.op1(VPMOVSXBD, Mem{Base: levels, Disp: i})
		VMOVUPS(v.sub(v.mul(scale, v.op1(VCVTDQ2PS, x)), min), dst.At(i))
	}
	ADDQ(U32(64), dst.Base)
	ADDQ(U32(16), levels)
	ADDQ(U32(4), factors)
	SUBQ(U32(16), n)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// lookUp replaces levels by their values.
func lookUp() {
	simd.Func("lookUpAVX2", "func(levels []uint8, table *[16]int8)",
		"lookUpAVX2 is lookUpGeneric for a multiple of 32 levels.")
	levels, n := simd.Slice("levels", 1), simd.Len("levels")
	table := YMM()
	VBROADCASTI128(loadFields("table").at(0), table)
	Label("block")
	y := YMM()
	VMOVDQU(levels.At(0), y)
	VPSHUFB(y, table, y)
	VMOVDQU(y, levels.At(0))
	ADDQ(U32(32), levels.Base)
	SUBQ(U32(32), n)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}
