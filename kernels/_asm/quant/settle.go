package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Fields of settledLanes.
const (
	settledScale = iota
	settledNonzero
	settledWild
	settledOpen = settledWild // and four bytes
)

// settleDescent is as much of fitDescent as four of five groups need, those in which no
// change helps. Its steps need not wait for one another, since until the first change they
// look at the same sums. The other groups are reported as open.
func settleDescent(v isa) {
	simd.Func("settleDescent"+v.name, "func(settled, x *float32, half float32)",
		"settleDescent"+v.name+" is fitDescent of 16 columns in the lanes where it changes no level,", "and finds those where it does.")
	settled, x := loadFields("settled"), v.columns("x")
	end := GP64()
	MOVQ(U32(groupColumns*v.bytes()), end)
	low := v.sub(v.zero(), v.param("half"))
	high := v.sub(v.sub(v.zero(), v.bits(0x3f800000)), low)
	peak, zeros := v.peak("peak", x, end)
	v.replace(peak, zeros, v.bits(0x7f800000))
	marker := v.bits(0x3f800000)
	v.replace(marker, zeros, v.zero())
	VMOVUPS(marker, settled.at(settledNonzero))

	inverse := v.div(low, peak)
	level := func(t VecVirtual) VecVirtual { return v.atMost(v.atLeast(v.round(t), low), high) }
	sumXL, sumL2 := v.zero(), v.zero()
	v.each("sums", end, 4, func(p position) {
		a := v.load(x.at(p))
		l, w := level(v.mul(inverse, a)), v.mul(a, a)
		v.addTo(sumXL, v.mul(v.mul(w, a), l))
		v.addTo(sumL2, v.mul(v.mul(w, l), l))
	})
	Comment("no NaN below: the products w·x·l of a group have one sign, or are zero")
	noSign, peakStep := data.all(0x7fffffff), v.zero()
	wild := v.laneBits(v.compare(notLessEq, v.and(sumXL, noSign), v.bits(0x7f7fffff)))

	square, open := v.mul(sumXL, sumXL), GP32()
	XORL(open, open)
	v.each("settle", end, 1, func(p position) {
		a := v.load(x.at(p))
		old, w := level(v.mul(inverse, a)), v.mul(a, a)
		wx := v.mul(w, a)
		xl := v.sub(sumXL, v.mul(wx, old))
		l2 := v.sub(sumL2, v.mul(v.mul(w, old), old))
		positive := v.compare(greater, xl, v.zero())
		t := v.div(v.mul(a, l2), xl)
		magnitude := v.choose(positive, v.and(t, noSign), v.zero())
		VMAXPS(magnitude, peakStep, peakStep)
		l := level(t)
		accept := v.both(positive, v.compare(neq, l, old))
		xl = v.add(xl, v.mul(wx, l))
		l2 = v.add(l2, v.mul(v.mul(w, l), l))
		accept = v.both(accept, v.compare(greater, l2, v.zero()))
		accept = v.both(accept, v.compare(greater, v.mul(v.mul(xl, xl), sumL2), v.mul(square, l2)))
		ORL(v.laneBits(accept), open)
	})
	ORL(v.laneBits(v.compare(notLessEq, peakStep, v.bits(wildest))), wild)

	scale := v.zero()
	v.replace(scale, v.compare(greater, sumL2, v.zero()), v.div(sumXL, sumL2))
	VMOVUPS(scale, settled.at(settledScale))
	settled.storeBits(wild, settledWild)
	MOVL(open, settled.at(settledOpen).Offset(4))
	VZEROUPPER()
	RET()
}
