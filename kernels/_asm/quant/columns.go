package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// packColumns sorts the levels of blocks of 32 values while they are in lanes. Word i of
// packed has the columns 4·i to 4·i+3; word i of nibbles gets the low halves of these and
// of the columns 16 behind them.
func packColumns(v isa) {
	simd.Func("packColumns"+v.name, "func(nibbles *uint32, fifths *[16]uint32, packed *uint32)",
		"packColumns"+v.name+" packs the low four bits of levels, columns j and j+16 in one byte, and", "their fifth bits, bit j being that of column j.")
	packed, nibbles := v.columns("packed"), v.columns("nibbles")
	low, fifths := v.bits(0x0f0f0f0f), v.zero()
	var words []VecVirtual
	for i := range 8 {
		words = append(words, v.load(packed.first(i)))
	}
	for i := range 4 {
		VMOVUPS(v.orInts(v.and(words[i], low), v.shiftLeft(v.and(words[i+4], low), 4)), nibbles.first(i))
	}
	for c := range 32 {
		bit := v.and(v.shift(words[c/4], c-(8*(c%4)+4)), data.all(1<<c))
		fifths = v.orInts(fifths, bit)
	}
	VMOVUPS(fifths, loadFields("fifths").at(0))
	VZEROUPPER()
	RET()
}

// shift moves bits n places up, or -n places down.
func (v isa) shift(x VecVirtual, n int) VecVirtual {
	if n >= 0 {
		return v.shiftLeft(x, n)
	}
	r := v.reg()
	VPSRLD(U8(-n), x, r)
	return r
}
