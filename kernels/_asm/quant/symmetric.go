package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Fields of symmetricLanes.
const (
	symmetricScale = iota
	symmetricInverse
	symmetricWild
)

const tiny = 0x26901d7d // 1e-15, below which a group of values counts as zeros

// fitSymmetric is fitSymmetric with a block in each lane and w given. Lanes with
// something that is not finite are reported as wild.
func fitSymmetric(v isa) {
	simd.Func("fitSymmetric"+v.name, "func(fit, x, w, wx *float32, n int, half float32, numerators *[19]float32)",
		"fitSymmetric"+v.name+" is fitSymmetric of n columns, a multiple of 4. numerators are those of", "the trial scales, wx is room for as many columns.")
	fit, x, w, wx, end := loadFields("fit"), v.columns("x"), v.columns("w"), v.columns("wx"), v.byteLen()
	peak, zeros := v.peak("peak", x, end)
	Comment("zeros get a scale that makes all levels 0")
	v.replace(peak, zeros, v.bits(0x7f800000))

	k := symmetricKernel{isa: v, x: x, w: w, wx: wx, end: end}
	k.low = v.sub(v.zero(), v.param("half"))
	k.high = v.sub(v.sub(v.zero(), v.bits(0x3f800000)), k.low)
	numerator, last := Load(Param("numerators"), GP64()), GP64()
	trials := func(label string, n int, first bool) []symmetricTrial {
		t := make([]symmetricTrial, n)
		for i := range t {
			t[i].inverse = v.div(v.broadcast(Mem{Base: numerator, Disp: 4 * i}), peak)
		}
		k.sums(label, t, first)
		ADDQ(U32(4*n), numerator)
		return t
	}
	start := trials("first", 1, true)[0]
	wild := v.compare(notLessEq, v.and(v.bits(0x7fffffff), start.sumXL), v.bits(0x7f7fffff))
	fit.storeBits(v.laneBits(wild), symmetricWild)
	best := start.inverse
	scale := v.zero()
	v.replace(scale, v.compare(neq, start.sumL2, v.zero()), v.div(start.sumXL, start.sumL2))
	gain := v.mul(scale, start.sumXL)

	steps := func(label string, count int) {
		LEAQ(Mem{Base: numerator, Disp: 4 * count}, last)
		Label(label)
		for _, t := range trials(label+"Levels", v.symmetricTrials(), false) {
			better := v.both(v.compare(greater, t.sumL2, v.zero()),
				v.compare(greater, v.mul(t.sumXL, t.sumXL), v.mul(gain, t.sumL2)))
			v.replace(best, better, t.inverse)
			v.replace(scale, better, v.div(t.sumXL, t.sumL2))
			v.replace(gain, better, v.mul(scale, t.sumXL))
		}
		CMPQ(numerator, last)
		JLT(LabelRef(label))
	}
	Comment("the first 12 bring the peak to less than half a level below the lowest")
	steps("free", 12)
	k.bounded = true
	steps("bounded", 6)

	VMOVUPS(scale, fit.at(symmetricScale))
	VMOVUPS(best, fit.at(symmetricInverse))
	VZEROUPPER()
	RET()
}

// peak returns the first of the columns' values of the greatest magnitude, and where
// there is nothing but zeros.
func (v isa) peak(label string, x columns, end Register) (peak VecVirtual, zeros mask) {
	peak, magnitude, noSign := v.zero(), v.zero(), v.bits(0x7fffffff)
	v.each(label, end, 4, func(p position) {
		a := v.load(x.at(p))
		m := v.and(noSign, a)
		v.replace(peak, v.compare(greater, m, magnitude), a)
		VMAXPS(magnitude, m, magnitude)
	})
	return peak, v.compare(less, magnitude, v.bits(tiny))
}

type symmetricKernel struct {
	isa
	x, w, wx  columns
	end       Register
	low, high VecVirtual
	bounded   bool // levels may be below the lowest
}

// symmetricTrials returns how many scales are tried in one go over the columns, for which
// there are registers: a sum waits for itself, and others can be added meanwhile.
func (v isa) symmetricTrials() int { return map[int]int{8: 2, 16: 3}[v.lanes] }

type symmetricTrial struct{ inverse, sumXL, sumL2 VecVirtual }

// sums finds Σw·x·l and Σw·l² for the levels l of x in each of the trials. The first time it
// stores w·x.
func (k *symmetricKernel) sums(label string, trials []symmetricTrial, first bool) {
	for i := range trials {
		trials[i].sumXL, trials[i].sumL2 = k.zero(), k.zero()
	}
	k.each(label, k.end, 4/len(trials), func(p position) {
		a, w := k.load(k.x.at(p)), k.w.at(p)
		var wx Op = k.wx.at(p)
		if first {
			product := k.mul(a, w)
			VMOVUPS(product, wx)
			wx = product
		}
		for _, t := range trials {
			l := k.level(k.mul(t.inverse, a))
			k.addTo(t.sumXL, k.mul(l, wx))
			k.addTo(t.sumL2, k.mul(k.mul(l, w), l))
		}
	})
}

// level rounds t and clamps it.
func (k *symmetricKernel) level(t VecVirtual) VecVirtual {
	l := k.min(k.round(t), k.high)
	if k.bounded {
		l = k.max(l, k.low)
	}
	return l
}
