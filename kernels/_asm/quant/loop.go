package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// An array of columns: element [i] is a vector with value i of every lane's block.
type columns struct {
	v    isa
	base Register
}

func (v isa) columns(param string) columns { return columns{v, Load(Param(param), GP64())} }

// A position in a loop over columns.
type position struct {
	offset Register // in bytes
	i      int      // columns behind it
}

func (c columns) at(p position) Mem {
	return Mem{Base: c.base, Index: p.offset, Scale: 1, Disp: p.i * c.v.bytes()}
}

// first is column i for a constant i.
func (c columns) first(i int) Mem { return Mem{Base: c.base, Disp: i * c.v.bytes()} }

// byteLen returns n columns in bytes for the int parameter n.
func (v isa) byteLen() Register {
	end := Load(Param("n"), GP64())
	SHLQ(U8(map[int]int{8: 5, 16: 6}[v.lanes]), end)
	return end
}

// each emits a loop over the columns before end, unrolled.
func (v isa) each(label string, end Register, unroll int, body func(p position)) {
	offset := GP64()
	XORQ(offset, offset)
	Label(label)
	for i := range unroll {
		body(position{offset, i})
	}
	ADDQ(U32(unroll*v.bytes()), offset)
	CMPQ(offset, end)
	JLT(LabelRef(label))
}

// Parameters and results of one value for each lane lie in structs of arrays of 16,
// whatever the number of lanes in use: field i is 64·i bytes behind the start.
type fields struct{ base Register }

func loadFields(param string) fields { return fields{Load(Param(param), GP64())} }

func (f fields) at(i int) Mem { return Mem{Base: f.base, Disp: 64 * i} }

// storeBits stores 32 bits into field i.
func (f fields) storeBits(r Register, i int) { MOVL(r, f.at(i)) }
