package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// transpose reads n values of each of as many rows as there are lanes, and writes
// them as n columns, stride bytes apart. n is a multiple of the lanes.
func transpose(v isa) {
	simd.Func("transpose"+v.name, "func(dst *float32, stride int, rows *[16]*float32, n int)",
		"transpose"+v.name+" is transposeGeneric for a multiple of its lanes, which are also the rows.")
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	v.tiles(func(columns []VecVirtual) {
		for _, column := range columns {
			VMOVUPS(column, Mem{Base: dst})
			ADDQ(stride, dst)
		}
	})
	VZEROUPPER()
	RET()
}

// tiles emits a loop over n values of each of the rows, as many values at a time as there
// are rows, one for each lane. body gets their columns.
func (v isa) tiles(body func(columns []VecVirtual)) {
	rows := Load(Param("rows"), GP64())
	end := Load(Param("n"), GP64())
	SHLQ(U8(2), end)
	offset := GP64()
	XORQ(offset, offset)
	Label("tile")
	r := make([]VecVirtual, v.lanes)
	for i := range r {
		row := GP64()
		MOVQ(Mem{Base: rows, Disp: 8 * i}, row)
		r[i] = v.load(Mem{Base: row, Index: offset, Scale: 1})
	}
	body(v.transposed(r))
	ADDQ(U32(v.bytes()), offset)
	CMPQ(offset, end)
	JLT(LabelRef("tile"))
}

// transposed returns the columns of a square of rows.
func (v isa) transposed(r []VecVirtual) []VecVirtual {
	// u[g][c] has, in its 128-bit part j, column 4·j+c of the rows 4·g to 4·g+3.
	groups := v.lanes / 4
	u := make([][4]VecVirtual, groups)
	for g := range u {
		a := r[4*g:]
		lo01, hi01 := v.op2(VUNPCKLPS, a[0], a[1]), v.op2(VUNPCKHPS, a[0], a[1])
		lo23, hi23 := v.op2(VUNPCKLPS, a[2], a[3]), v.op2(VUNPCKHPS, a[2], a[3])
		u[g] = [4]VecVirtual{
			v.op2(VUNPCKLPD, lo01, lo23), v.op2(VUNPCKHPD, lo01, lo23),
			v.op2(VUNPCKLPD, hi01, hi23), v.op2(VUNPCKHPD, hi01, hi23),
		}
	}
	columns := make([]VecVirtual, v.lanes)
	for c := range 4 {
		if v.lanes == 8 {
			columns[c], columns[4+c] = YMM(), YMM()
			VPERM2F128(U8(0x20), u[1][c], u[0][c], columns[c])
			VPERM2F128(U8(0x31), u[1][c], u[0][c], columns[4+c])
			continue
		}
		low01, high01 := parts(0x44, u[0][c], u[1][c]), parts(0xee, u[0][c], u[1][c])
		low23, high23 := parts(0x44, u[2][c], u[3][c]), parts(0xee, u[2][c], u[3][c])
		columns[c], columns[4+c] = parts(0x88, low01, low23), parts(0xdd, low01, low23)
		columns[8+c], columns[12+c] = parts(0x88, high01, high23), parts(0xdd, high01, high23)
	}
	return columns
}

// parts returns two 128-bit parts of x and two of y.
func parts(which int, x, y VecVirtual) VecVirtual {
	r := ZMM()
	VSHUFF32X4(U8(which), y, x, r)
	return r
}
