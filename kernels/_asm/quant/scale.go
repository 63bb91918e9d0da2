package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Fields of scalesQ6_K. There are 16 of the first two.
const (
	scalesFactor = 0
	scalesLevel  = 16
	scalesD      = 32
	scalesZero   = 33 // and wild, four bytes behind
)

// symmetricFields is the size of symmetricLanes.
const symmetricFields = 3

// scaleQ6_K is scaleQ6_K with a block in each lane, and what the levels are multiplied
// with. Lanes with an infinite half float are reported as wild.
func scaleQ6_K(v isa) {
	simd.Func("scaleQ6_K"+v.name, "func(scales, fits *float32)",
		"scaleQ6_K"+v.name+" is scaleQ6_K of the scales of 16 symmetricLanes. It sets scalesQ6_K.")
	scales, fits := loadFields("scales"), loadFields("fits")
	fitted := func(i int) Mem { return fits.at(symmetricFields * i) }
	noSign := v.bits(0x7fffffff)
	peak, magnitude := v.zero(), v.zero()
	for i := range 16 {
		a := v.load(fitted(i))
		m := v.and(noSign, a)
		v.replace(peak, v.compare(greater, m, magnitude), a)
		VMAXPS(magnitude, m, magnitude)
	}
	scales.storeBits(v.laneBits(v.compare(less, magnitude, v.bits(tiny))), scalesZero)

	inverse := v.div(v.bits(0xc3000000), peak) // -128
	d := v.div(v.bits(0x3f800000), inverse)
	var half VecVirtual
	if v.lanes == 16 {
		half = YMM()
	} else {
		half = XMM()
	}
	VCVTPS2PH(U8(0), d, half)
	VMOVDQU(half, scales.at(scalesD))
	d = v.op1(VCVTPH2PS, half)
	wild := v.laneBits(v.compare(notLessEq, v.and(noSign, d), v.bits(0x7f7fffff)))
	MOVL(wild, scales.at(scalesZero).Offset(4))

	magic, mantissa, bias, top := v.bits(0x4b400000), v.bits(0x7fffff), v.bits(0x400000), v.bits(127)
	for i := range 16 {
		l := v.and(v.add(v.mul(inverse, fitted(i)), magic), mantissa) // nearestInt + 2^22
		l = v.op2(VPMINSD, v.op2(VPSUBD, l, bias), top)
		VMOVUPS(l, scales.at(scalesLevel+i))
		VMOVUPS(v.mul(d, v.op1(VCVTDQ2PS, l)), scales.at(scalesFactor+i))
	}
	VZEROUPPER()
	RET()
}
