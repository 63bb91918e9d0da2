package main

import (
	"fmt"

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
	affineTrial
	affineFarthest
	affineFields
)

// fitAffine is affineSearch.fit with a block in each lane. Rounding is by
// instruction, which is nearestInt only for numbers up to wildest: lanes that may have
// met others are reported as wild. Since rounding is monotone, it's enough to look
// at the extremes.
//
// The steps of a search wait for each other, so that two searches are interleaved: the
// ways. What is not needed in the loops over columns is kept in memory meanwhile.
func fitAffine(v isa, ways int, absolute bool) {
	name, which := "fitAffine", "a group"
	if absolute {
		name += "Absolute"
	}
	if ways == 2 {
		name, which = name+"Pair", "two successive groups"
	}
	name += v.name
	simd.Func(name, "func(fit, x, w, levels *float32, n int, s *float32)",
		name+" is affineSearch.fit of "+which+" of n columns, a multiple of 4.", "levels is room for as many columns.")
	s := affineKernel{isa: v, absolute: absolute, end: v.byteLen()}
	first := &affineWay{fit: loadFields("fit"), x: v.columns("x"), w: v.columns("w"), levels: v.columns("levels")}
	s.ways = []*affineWay{first}
	for len(s.ways) < ways {
		last := s.ways[len(s.ways)-1]
		behind := func(c columns) columns {
			r := GP64()
			LEAQ(Mem{Base: c.base, Index: s.end, Scale: 1}, r)
			return columns{v, r}
		}
		fit := GP64()
		LEAQ(last.fit.at(affineFields), fit)
		s.ways = append(s.ways, &affineWay{fit: fields{fit}, x: behind(last.x), w: behind(last.w), levels: behind(last.levels)})
	}
	steps := fields{Load(Param("s"), GP64())}
	s.top = v.broadcast(steps.at(0))
	s.zero = v.zero()
	if absolute {
		s.noSign = v.bits(0x7fffffff)
	}

	for i, w := range s.ways {
		s.ranges(w, i)
	}
	s.capped = true
	s.quantize("first", false)
	for _, w := range s.ways {
		w.error = v.zero()
	}
	s.errors("firstError")
	for _, w := range s.ways {
		VMOVUPS(w.error, w.fit.at(affineError))
	}

	width, free, last := GP64(), GP64(), GP64()
	LEAQ(steps.at(1), width)
	MOVQ(Mem{Base: steps.base, Disp: 8}, last)
	LEAQ(Mem{Base: width, Index: last, Scale: 4}, last)
	MOVQ(Mem{Base: steps.base, Disp: 16}, free)
	LEAQ(Mem{Base: width, Index: free, Scale: 4}, free)
	Comment("the steps that can't give levels above the top")
	s.capped = false
	s.steps("free", width, free)
	s.capped = true
	s.steps("capped", width, last)

	for _, w := range s.ways {
		VMOVUPS(w.base, w.fit.at(affineMin))
		scale := v.load(w.fit.at(affineScale))
		infinity := v.bits(0x7f800000)
		v.replace(scale, v.compare(eq, infinity, w.fit.at(affineHigh)), s.zero)
		VMOVUPS(scale, w.fit.at(affineScale))
		far := v.compare(notLessEq, v.load(w.fit.at(affineFarthest)), v.bits(wildest))
		ORL(v.laneBits(v.both(far, v.compare(neq, infinity, w.fit.at(affineHigh)))), w.fit.at(affineWild))
	}
	VZEROUPPER()
	RET()
}

// steps tries widths up to the last.
func (s *affineKernel) steps(label string, width, last Register) {
	Label(label)
	for _, w := range s.ways {
		span := s.sub(s.load(w.fit.at(affineHigh)), w.base)
		w.inverse = s.div(s.broadcast(Mem{Base: width}), span)
		VMOVUPS(w.inverse, w.fit.at(affineTrial))
		s.reach(w, span)
	}
	s.quantize(label+"Levels", true)
	for _, w := range s.ways {
		s.solve(w)
	}
	s.errors(label + "Error")
	for _, w := range s.ways {
		s.keepBetter(w)
	}
	ADDQ(U32(4), width)
	CMPQ(width, last)
	JLT(LabelRef(label))
}

type affineKernel struct {
	isa
	ways              []*affineWay
	end               Register
	top, zero, noSign VecVirtual
	absolute          bool
	capped            bool // levels may be above the top
}

// An affineWay is a search.
type affineWay struct {
	fit          fields
	x, w, levels columns

	base       VecVirtual // the min of the best fit so far
	inverse    VecVirtual // of the step
	l, l2, xl  VecVirtual // Σwl, Σwl², Σwxl
	scale, min VecVirtual // of the step
	error      VecVirtual
}

// ranges finds the range and the sums of the values, and the first trial scale.
func (s *affineKernel) ranges(w *affineWay, way int) {
	Comment("the range and sums; -0 is what adding starts from without changing anything")
	lo, hi, sumW, sumX := s.load(w.x.first(0)), s.load(w.x.first(0)), s.bits(0x80000000), s.bits(0x80000000)
	s.each(fmt.Sprint("range", way), s.end, 4, func(p position) {
		a, b := s.load(w.x.at(p)), s.load(w.w.at(p))
		VMINPS(lo, a, lo)
		VMAXPS(hi, a, hi)
		s.addTo(sumW, b)
		s.addTo(sumX, s.mul(a, b))
	})
	w.base = s.isa.min(s.zero, lo)
	Comment("a constant is made as wide as can be, so that all levels are 0")
	infinity := s.bits(0x7f800000)
	s.replace(hi, s.compare(eq, hi, w.base), infinity)
	VMOVUPS(lo, w.fit.at(affineLow))
	VMOVUPS(hi, w.fit.at(affineHigh))
	VMOVUPS(sumW, w.fit.at(affineSumW))
	VMOVUPS(sumX, w.fit.at(affineSumX))
	Comment("a sum that is not finite: something in it was not, or nearly so")
	noSign := s.bits(0x7fffffff)
	wild := s.compare(notLessEq, s.and(noSign, sumX), s.bits(0x7f7fffff))
	w.fit.storeBits(s.laneBits(wild), affineWild)

	span := s.sub(hi, w.base)
	w.inverse = s.div(s.top, span)
	VMOVUPS(s.zero, w.fit.at(affineFarthest))
	s.reach(w, span)
	w.scale, w.min = s.div(s.bits(0x3f800000), w.inverse), w.base
	VMOVUPS(w.scale, w.fit.at(affineScale))
	VMOVUPS(w.inverse, w.fit.at(affineInverse))
	VMOVUPS(w.base, w.fit.at(affineBase))
}

// reach remembers the farthest from 0 that a level was before it was clamped: that of the
// greatest or least value. As integers, NaNs are the greatest magnitudes.
func (s *affineKernel) reach(w *affineWay, span VecVirtual) {
	noSign := s.bits(0x7fffffff)
	below := s.sub(s.load(w.fit.at(affineLow)), w.base)
	far := s.op2(VPMAXSD, s.and(noSign, span), s.and(noSign, below))
	far = s.and(noSign, s.mul(w.inverse, far))
	VMOVUPS(s.op2(VPMAXSD, far, w.fit.at(affineFarthest)), w.fit.at(affineFarthest))
}

// quantize stores the levels of x and sums them up.
func (s *affineKernel) quantize(label string, sums bool) {
	if sums {
		for _, w := range s.ways {
			w.l, w.l2, w.xl = s.isa.zero(), s.isa.zero(), s.isa.zero()
		}
	}
	s.each(label, s.end, 4/len(s.ways), func(p position) {
		for _, w := range s.ways {
			a := s.load(w.x.at(p))
			l := s.round(s.mul(w.inverse, s.sub(a, w.base)))
			l = s.notNegative(l, s.zero)
			if s.capped {
				l = s.atMost(l, s.top)
			}
			VMOVUPS(l, w.levels.at(p))
			if !sums {
				continue
			}
			wl := s.mul(l, w.w.at(p))
			s.addTo(w.l, wl)
			s.addTo(w.l2, s.mul(wl, l))
			s.addTo(w.xl, s.mul(wl, a))
		}
	})
}

// solve finds the scale and min ≤ 0 of weighted least squares for the levels. Where there
// are none it makes the error start from NaN, which is never less than another.
func (s *affineKernel) solve(w *affineWay) {
	sumW, sumX := w.fit.at(affineSumW), w.fit.at(affineSumX)
	det := s.sub(s.mul(w.l2, sumW), s.mul(w.l, w.l))
	w.scale = s.div(s.sub(s.mul(w.xl, sumW), s.mul(w.l, sumX)), det)
	w.min = s.div(s.sub(s.mul(w.l2, sumX), s.mul(w.l, w.xl)), det)
	positive := s.compare(greater, w.min, s.zero)
	s.replace(w.scale, positive, s.div(w.xl, w.l2))
	s.replace(w.min, positive, s.zero)
	w.error = s.isa.zero()
	s.replace(w.error, s.compare(notGreater, det, s.zero), s.bits(0x7fc00000))
}

// errors adds up the weighted errors of the stored levels.
func (s *affineKernel) errors(label string) {
	s.each(label, s.end, 4/len(s.ways), func(p position) {
		for _, w := range s.ways {
			diff := s.sub(s.add(s.mul(w.scale, w.levels.at(p)), w.min), w.x.at(p))
			if s.absolute {
				diff = s.and(diff, s.noSign)
			} else {
				diff = s.mul(diff, diff)
			}
			s.addTo(w.error, s.mul(diff, w.w.at(p)))
		}
	})
}

// keepBetter makes the step the best so far in the lanes where its error is less.
func (s *affineKernel) keepBetter(w *affineWay) {
	better := s.compare(less, w.error, w.fit.at(affineError))
	keep := func(field int, value VecVirtual) {
		old := s.load(w.fit.at(field))
		s.replace(old, better, value)
		VMOVUPS(old, w.fit.at(field))
	}
	keep(affineError, w.error)
	keep(affineScale, w.scale)
	keep(affineInverse, s.load(w.fit.at(affineTrial)))
	keep(affineBase, w.base)
	s.replace(w.base, better, w.min)
}
