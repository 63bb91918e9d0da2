package main

import (
	"fmt"

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

// The trial scales of fitSymmetric, in their order, bring the peak to -half, then to 0.9
// to 0.1 less than that in magnitude, then to 0.1 to 0.9 more. Values of the other sign come
// as near to +half at most, so that levels have to be clamped to half-1 from a half less
// on, and to -half from a half more on.
const (
	symmetricTrials   = 19
	firstBelowHighest = 1
	firstAboveHighest = 5
	firstBelowLowest  = 14
)

// fitSymmetric is fitSymmetric with a block in each lane and w given. Lanes with
// something that is not finite are reported as wild.
func fitSymmetric(v isa) {
	simd.Func("fitSymmetric"+v.name, "func(fit, x, w, wx *float32, n int, half float32, numerators *[19]float32)",
		"fitSymmetric"+v.name+" is fitSymmetric of n columns, a multiple of 4. numerators are those of", "the trial scales, wx is room for as many columns.")
	k := symmetricKernel{isa: v, x: v.columns("x"), w: v.columns("w"), wx: v.columns("wx"), end: v.byteLen()}
	fit, numerators := loadFields("fit"), Load(Param("numerators"), GP64())
	peak, zeros := v.peak("peak", k.x, k.end)
	Comment("zeros get a scale that makes all levels 0")
	v.replace(peak, zeros, v.bits(0x7f800000))
	v.each("products", k.end, 4, func(p position) {
		VMOVUPS(v.mul(v.load(k.x.at(p)), k.w.at(p)), k.wx.at(p))
	})
	k.low = v.sub(v.zero(), v.param("half"))
	k.high = v.sub(v.sub(v.zero(), v.bits(0x3f800000)), k.low)

	var best, scale, gain VecVirtual
	for first := 0; first < symmetricTrials; {
		// The last passes are full ones.
		count := (symmetricTrials-first-1)%k.perPass() + 1
		trials := make([]symmetricTrial, count)
		for i := range trials {
			trials[i] = symmetricTrial{number: first + i, inverse: v.div(v.broadcast(Mem{Base: numerators, Disp: 4 * (first + i)}), peak)}
		}
		k.sums(fmt.Sprint("trials", first), trials)
		for _, t := range trials {
			if t.number == 0 {
				wild := v.compare(notLessEq, v.and(v.bits(0x7fffffff), t.sumXL), v.bits(0x7f7fffff))
				fit.storeBits(v.laneBits(wild), symmetricWild)
				best, scale = t.inverse, v.zero()
				v.replace(scale, v.compare(neq, t.sumL2, v.zero()), v.div(t.sumXL, t.sumL2))
				gain = v.mul(scale, t.sumXL)
				continue
			}
			better := v.both(v.compare(greater, t.sumL2, v.zero()),
				v.compare(greater, v.mul(t.sumXL, t.sumXL), v.mul(gain, t.sumL2)))
			v.replace(best, better, t.inverse)
			v.replace(scale, better, v.div(t.sumXL, t.sumL2))
			v.replace(gain, better, v.mul(scale, t.sumXL))
		}
		first += count
	}
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
}

// perPass returns how many scales are tried in one go over the columns, for which there
// are registers: a sum waits for itself, and others can be added meanwhile.
func (k *symmetricKernel) perPass() int { return map[int]int{8: 2, 16: 4}[k.lanes] }

type symmetricTrial struct {
	number                int
	inverse, sumXL, sumL2 VecVirtual
}

// sums finds Σw·x·l and Σw·l² for the levels l of x in each of the trials.
func (k *symmetricKernel) sums(label string, trials []symmetricTrial) {
	for i := range trials {
		trials[i].sumXL, trials[i].sumL2 = k.zero(), k.zero()
	}
	k.each(label, k.end, 2, func(p position) {
		a := k.load(k.x.at(p))
		for _, t := range trials {
			l := k.level(t.number, k.mul(t.inverse, a))
			k.addTo(t.sumXL, k.mul(l, k.wx.at(p)))
			k.addTo(t.sumL2, k.mul(k.mul(l, k.w.at(p)), l))
		}
	})
}

// level rounds a quotient of that trial and clamps it.
func (k *symmetricKernel) level(trial int, quotient VecVirtual) VecVirtual {
	l := k.round(quotient)
	if trial < firstBelowHighest || trial >= firstAboveHighest {
		l = k.atMostHigh(l)
	}
	if trial >= firstBelowLowest {
		l = k.atLeast(l, k.low)
	}
	return l
}

// atMostHigh clamps l to the highest level. With AVX-512 the adders, which know that too,
// have as much to do as the multipliers, neither of which can spare a turn.
func (k *symmetricKernel) atMostHigh(l VecVirtual) VecVirtual {
	if k.lanes == 16 {
		return k.min(l, k.high)
	}
	return k.atMost(l, k.high)
}
