package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Fields of positiveLanes.
const (
	positiveScale = iota
	positiveWild
)

// fitPositive is fitPositive with a block in each lane. Lanes with a negative value are
// wild.
func fitPositive(v isa) {
	simd.Func("fitPositive"+v.name, "func(fit, x, w, products, levels *float32, n int, tops *[9]float32)",
		"fitPositive"+v.name+" is fitPositive of n columns, a multiple of 4. tops are what the trial", "scales bring the greatest value to.")
	fit, x, w, products, levels, end := loadFields("fit"), v.columns("x"), v.columns("w"), v.columns("products"), v.columns("levels"), v.byteLen()
	top, last := Load(Param("tops"), GP64()), GP64()
	highest := v.broadcast(Mem{Base: top})
	peak, lowest := v.zero(), v.zero()
	v.each("peak", end, 4, func(p position) {
		a := v.load(x.at(p))
		VMAXPS(peak, a, peak)
		VMINPS(lowest, a, lowest)
	})
	negative := v.compare(less, lowest, v.zero())
	wild := v.laneBits(negative)
	Comment("zeros get a scale that makes all levels 0")
	v.replace(peak, v.compare(less, peak, v.bits(tiny)), v.bits(0x7f800000))

	level := func(inverse VecVirtual, p position) Op {
		return v.atMost(v.round(v.mul(inverse, x.at(p))), highest)
	}
	trial := func(label string) (inverse, sum VecVirtual) {
		i := v.div(v.broadcast(Mem{Base: top}), peak)
		scale, s := v.div(v.bits(0x3f800000), i), v.zero()
		v.each(label, end, 4, func(p position) {
			diff := v.sub(v.load(x.at(p)), v.mul(scale, level(i, p)))
			v.addTo(s, v.mul(v.mul(diff, w.at(p)), diff))
		})
		return i, s
	}
	bestInverse, bestError := trial("first")
	LEAQ(Mem{Base: top, Disp: 4 * 9}, last)
	ADDQ(U32(4), top)
	Label("step")
	inverse, sum := trial("trial")
	better := v.compare(less, sum, bestError)
	v.replace(bestError, better, sum)
	v.replace(bestInverse, better, inverse)
	ADDQ(U32(4), top)
	CMPQ(top, last)
	JLT(LabelRef("step"))

	sumXL, sumL2 := v.zero(), v.zero()
	v.each("sums", end, 4, func(p position) {
		l := level(bestInverse, p)
		b := v.load(w.at(p))
		VMOVUPS(l, levels.at(p))
		wx := v.mul(b, x.at(p))
		VMOVUPS(wx, products.at(p))
		v.addTo(sumXL, v.mul(wx, l))
		v.addTo(sumL2, v.mul(v.mul(b, l), l))
	})
	d := descent{isa: v, x: x, w: w, products: products, levels: levels, end: end, low: v.zero(), high: highest, positive: true,
		sumXL: []VecVirtual{sumXL}, sumL2: []VecVirtual{sumL2}, wild: wild}
	d.constants()
	d.run()
	VMOVUPS(d.scale(0), fit.at(positiveScale))
	fit.storeBits(wild, positiveWild)
	VZEROUPPER()
	RET()
}
