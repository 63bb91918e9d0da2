package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// binary generates the signs and sums of 8 blocks of Q1_0, one a lane, so that each sum
// keeps its order.
func binary() {
	simd.Func("signsQ1_0AVX2", "func(dst *byte, sums *[8]float32, x *float32)",
		"signsQ1_0AVX2 sets the bits of 8 blocks of Q1_0 and sums[i] to Σ|x| of the i-th.")
	dst, sums, x := Load(Param("dst"), GP64()), Load(Param("sums"), GP64()), Load(Param("x"), GP64())
	const columns, blockSize = 128, 18
	zeros := constant("binaryZeros", func(int) uint32 { return 0 })
	magnitude := constant("binaryMagnitude", func(int) uint32 { return 0x7fffffff })
	sum, n, bits := YMM(), GP64(), GP32()
	VXORPS(sum, sum, sum)
	MOVQ(U32(columns/8), n)
	Label("columns")
	var rows [8]VecVirtual
	for i := range rows {
		rows[i] = YMM()
		positive := YMM()
		VMOVUPS(Mem{Base: x}.Offset(4*columns*i), rows[i])
		VCMPPS(greaterOrEqual, zeros, rows[i], positive)
		VMOVMSKPS(positive, bits)
		MOVB(bits.As8(), Mem{Base: dst}.Offset(blockSize*i+2))
		VANDPS(magnitude, rows[i], rows[i])
	}
	for _, column := range transpose(rows) {
		VADDPS(column, sum, sum)
	}
	ADDQ(U8(32), x)
	INCQ(dst)
	DECQ(n)
	JNZ(LabelRef("columns"))
	VMOVUPS(sum, Mem{Base: sums})
	VZEROUPPER()
	RET()
}

// transpose returns the columns of 8 rows.
func transpose(r [8]VecVirtual) (c [8]VecVirtual) {
	for i := 0; i < 8; i += 2 { // pairs of rows, interleaved
		low, high := YMM(), YMM()
		VUNPCKLPS(r[i+1], r[i], low)
		VUNPCKHPS(r[i+1], r[i], high)
		r[i], r[i+1] = low, high
	}
	for i := 0; i < 8; i += 4 { // columns of four rows, those 4 apart in one register
		for j := range 2 {
			low, high := YMM(), YMM()
			VSHUFPS(U8(0x44), r[i+2+j], r[i+j], low)
			VSHUFPS(U8(0xee), r[i+2+j], r[i+j], high)
			r[i+j], r[i+2+j] = low, high
		}
	}
	for i, at := range [4]int{0, 2, 1, 3} {
		c[i], c[i+4] = YMM(), YMM()
		VPERM2F128(U8(0x20), r[at+4], r[at], c[i])
		VPERM2F128(U8(0x31), r[at+4], r[at], c[i+4])
	}
	return c
}
