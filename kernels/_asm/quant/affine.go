package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Fields of affineLanes.
const (
	affineScale = iota
	affineMin
	affineInverse
	affineBase
	affineWild
	affineLow // the rest is used by the search alone
	affineHigh
	affineSumW
	affineSumX
	affineError
)

// fitAffine is affineSearch.fit with a block in each lane. Rounding is by
// instruction, which is nearestInt only for numbers below 2^22: lanes that may have
// met others are reported as wild. Since rounding is monotone, it's enough to look
// at the extremes.
func fitAffine(v isa, absolute bool) {
	name := "fitAffine" + v.name
	if absolute {
		name = "fitAffineAbsolute" + v.name
	}
	simd.Func(name, "func(fit, x, w, levels *float32, n int, s *float32)",
		name+" is affineSearch.fit of n columns, a multiple of 4. levels is room for", "as many columns.")
	fit, x, w, levels := loadFields("fit"), v.columns("x"), v.columns("w"), v.columns("levels")
	steps := fields{Load(Param("s"), GP64())}
	end := v.byteLen()
	s := affineKernel{isa: v, x: x, w: w, levels: levels, end: end, absolute: absolute}
	s.top = v.broadcast(steps.at(0))
	s.zero = v.zero()
	if absolute {
		s.noSign = v.bits(0x7fffffff)
	}

	Comment("the range and sums; -0 is what adding starts from without changing anything")
	lo, hi, sumW, sumX := v.load(x.first(0)), v.load(x.first(0)), v.bits(0x80000000), v.bits(0x80000000)
	v.each("range", end, 4, func(p position) {
		a, b := v.load(x.at(p)), v.load(w.at(p))
		VMINPS(lo, a, lo)
		VMAXPS(hi, a, hi)
		v.addTo(sumW, b)
		v.addTo(sumX, v.mul(a, b))
	})
	min := v.min(s.zero, lo)
	Comment("a constant is made as wide as can be, so that all levels are 0")
	infinity := v.bits(0x7f800000)
	v.replace(hi, v.compare(eq, hi, min), infinity)
	VMOVUPS(lo, fit.at(affineLow))
	VMOVUPS(hi, fit.at(affineHigh))
	VMOVUPS(sumW, fit.at(affineSumW))
	Comment("a sum that is not finite: something in it was not, or nearly so")
	VMOVUPS(sumX, fit.at(affineSumX))
	noSign := v.bits(0x7fffffff)
	wild := v.compare(notLessEq, v.and(noSign, sumX), v.bits(0x7f7fffff))
	fit.storeBits(v.laneBits(wild), affineWild)

	span := v.sub(hi, min)
	inverse := v.div(s.top, span)
	s.check(fit, inverse, span, min)
	scale := v.div(v.bits(0x3f800000), inverse)
	VMOVUPS(scale, fit.at(affineScale))
	VMOVUPS(inverse, fit.at(affineInverse))
	VMOVUPS(min, fit.at(affineBase))
	s.quantize("first", inverse, min, nil)
	VMOVUPS(s.error("firstError", scale, min), fit.at(affineError))

	numerator, last := GP64(), GP64()
	LEAQ(steps.at(1), numerator)
	MOVQ(Mem{Base: steps.base, Disp: 8}, last)
	LEAQ(Mem{Base: numerator, Index: last, Scale: 4}, last)
	Label("step")
	span = v.sub(v.load(fit.at(affineHigh)), min)
	inverse = v.div(v.broadcast(Mem{Base: numerator}), span)
	s.check(fit, inverse, span, min)
	sums := &affineSums{v.zero(), v.zero(), v.zero()}
	s.quantize("levels", inverse, min, sums)
	sumW, sumX = v.load(fit.at(affineSumW)), v.load(fit.at(affineSumX))
	det := v.sub(v.mul(sumW, sums.l2), v.mul(sums.l, sums.l))
	solvable := v.compare(greater, det, s.zero)
	scale = v.div(v.sub(v.mul(sumW, sums.xl), v.mul(sumX, sums.l)), det)
	trialMin := v.div(v.sub(v.mul(sums.l2, sumX), v.mul(sums.l, sums.xl)), det)
	positive := v.compare(greater, trialMin, s.zero)
	v.replace(scale, positive, v.div(sums.xl, sums.l2))
	v.replace(trialMin, positive, s.zero)
	trialError := s.error("error", scale, trialMin)
	bestError := v.load(fit.at(affineError))
	better := v.both(solvable, v.compare(less, trialError, bestError))
	keep := func(field int, value VecVirtual) {
		old := v.load(fit.at(field))
		v.replace(old, better, value)
		VMOVUPS(old, fit.at(field))
	}
	keep(affineError, trialError)
	keep(affineScale, scale)
	keep(affineInverse, inverse)
	keep(affineBase, min)
	v.replace(min, better, trialMin)
	ADDQ(U32(4), numerator)
	CMPQ(numerator, last)
	JLT(LabelRef("step"))

	VMOVUPS(min, fit.at(affineMin))
	scale = v.load(fit.at(affineScale))
	v.replace(scale, v.compare(eq, v.load(fit.at(affineHigh)), v.bits(0x7f800000)), s.zero)
	VMOVUPS(scale, fit.at(affineScale))
	VZEROUPPER()
	RET()
}

// check marks lanes as wild if a level of theirs would be 2^22 or more before it is
// clamped, but for constants.
func (s *affineKernel) check(fit fields, inverse, span, min VecVirtual) {
	noSign, wildest := s.bits(0x7fffffff), s.bits(0x4a800000)
	high := s.compare(notLessEq, s.and(noSign, s.mul(inverse, span)), wildest)
	low := s.compare(notLessEq, s.and(noSign, s.mul(inverse, s.sub(s.load(fit.at(affineLow)), min))), wildest)
	finite := s.compare(neq, s.load(fit.at(affineHigh)), s.bits(0x7f800000))
	ORL(s.laneBits(s.both(finite, s.either(high, low))), fit.at(affineWild))
}

// affineKernel is what the loops over columns need.
type affineKernel struct {
	isa
	x, w, levels      columns
	end               Register
	top, zero, noSign VecVirtual
	absolute          bool
}

type affineSums struct{ l, l2, xl VecVirtual }

// quantize stores the levels of x and sums them up.
func (s *affineKernel) quantize(label string, inverse, base VecVirtual, sums *affineSums) {
	s.each(label, s.end, 4, func(p position) {
		a := s.load(s.x.at(p))
		l := s.round(s.mul(inverse, s.sub(a, base)))
		l = s.min(s.max(l, s.zero), s.top)
		VMOVUPS(l, s.levels.at(p))
		if sums == nil {
			return
		}
		wl := s.mul(l, s.w.at(p))
		s.addTo(sums.l, wl)
		s.addTo(sums.l2, s.mul(wl, l))
		s.addTo(sums.xl, s.mul(wl, a))
	})
}

// error returns the weighted error of the stored levels.
func (s *affineKernel) error(label string, scale, min VecVirtual) VecVirtual {
	sum := s.isa.zero()
	s.each(label, s.end, 4, func(p position) {
		diff := s.sub(s.add(s.mul(scale, s.levels.at(p)), min), s.x.at(p))
		if s.absolute {
			diff = s.and(diff, s.noSign)
		} else {
			diff = s.mul(diff, diff)
		}
		s.addTo(sum, s.mul(diff, s.w.at(p)))
	})
	return sum
}
