package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// An isa is an instruction set with vectors of some number of float32 lanes. Its
// methods emit one instruction, or the few that do the same in both sets, so that
// the kernels are written once. Results are in new registers.
type isa struct {
	name  string
	lanes int
}

var (
	avx2   = isa{"AVX2", 8}
	avx512 = isa{"AVX512", 16}
)

// wildest is 2^21: up to there, rounding by instruction is nearestInt, which wraps around
// from 2^22 - 1/2 on.
const wildest = 0x4a000000

// A mask has a truth value for each lane: a K register, or a YMM with all or no bits
// of the lane set.
type mask = Register

func (v isa) bytes() int { return 4 * v.lanes }

func (v isa) reg() VecVirtual {
	if v.lanes == 16 {
		return ZMM()
	}
	return YMM()
}

func (v isa) newMask() mask {
	if v.lanes == 16 {
		return K()
	}
	return YMM()
}

func (v isa) load(m Op) VecVirtual { return v.op1(VMOVUPS, m) }
func (v isa) copy(x Op) VecVirtual { return v.op1(VMOVAPS, x) }

// broadcast returns the float32 at m in every lane.
func (v isa) broadcast(m Op) VecVirtual { return v.op1(VBROADCASTSS, m) }

// bits returns a register with x in every lane.
func (v isa) bits(x uint32) VecVirtual { return simd.Const32(v.reg, x) }

func (v isa) zero() VecVirtual {
	r := v.reg()
	VXORPS(r, r, r) // avo knows that this, unlike VPXORD, does not read r
	return r
}

func (v isa) op1(f func(ops ...Op), x Op) VecVirtual {
	r := v.reg()
	f(x, r)
	return r
}

func (v isa) op2(f func(ops ...Op), x, y Op) VecVirtual {
	r := v.reg()
	f(y, x, r)
	return r
}

func (v isa) add(x, y Op) VecVirtual { return v.op2(VADDPS, x, y) }
func (v isa) sub(x, y Op) VecVirtual { return v.op2(VSUBPS, x, y) }
func (v isa) mul(x, y Op) VecVirtual { return v.op2(VMULPS, x, y) }
func (v isa) div(x, y Op) VecVirtual { return v.op2(VDIVPS, x, y) }
func (v isa) and(x, y Op) VecVirtual { return v.op2(VANDPS, x, y) }
func (v isa) or(x, y Op) VecVirtual  { return v.op2(VORPS, x, y) }
func (v isa) xor(x, y Op) VecVirtual { return v.op2(VXORPS, x, y) }
func (v isa) sqrt(x Op) VecVirtual   { return v.op1(VSQRTPS, x) }

// min returns x < y ? x : y, so y if one is NaN or both are zero.
func (v isa) min(x, y Op) VecVirtual { return v.op2(VMINPS, x, y) }

// max returns x > y ? x : y.
func (v isa) max(x, y Op) VecVirtual { return v.op2(VMAXPS, x, y) }

// round returns x rounded to the nearest integer, ties to even.
func (v isa) round(x Op) VecVirtual {
	r := v.reg()
	if v.lanes == 16 {
		VRNDSCALEPS(U8(0), x, r)
	} else {
		VROUNDPS(U8(0), x, r)
	}
	return r
}

// Levels, which are no NaNs, are clamped by comparing their bits as integers: any unit of
// a CPU does that, while few do the arithmetic that there is enough of already. Of negative
// numbers the lower one has the higher bits, unsigned, and higher ones than all others.

// atMost returns the lesser of l and high ≥ 0.
func (v isa) atMost(l, high Op) VecVirtual { return v.op2(VPMINSD, l, high) }

// atLeast returns the greater of l and low < 0.
func (v isa) atLeast(l, low Op) VecVirtual { return v.op2(VPMINUD, l, low) }

// notNegative returns the greater of l and 0, which zero is.
func (v isa) notNegative(l, zero Op) VecVirtual { return v.op2(VPMAXSD, l, zero) }

func (v isa) toInt(x Op) VecVirtual { return v.op1(VCVTPS2DQ, x) }

func (v isa) shiftLeft(x VecVirtual, n int) VecVirtual {
	r := v.reg()
	VPSLLD(U8(n), x, r)
	return r
}

func (v isa) addInts(x, y Op) VecVirtual { return v.op2(VPADDD, x, y) }

func (v isa) orInts(x, y VecVirtual) VecVirtual {
	if v.lanes == 16 {
		return v.op2(VPORD, x, y)
	}
	r := v.reg()
	VPOR(y, x, r)
	return r
}

// Predicates of comparisons, all of them quiet.
const (
	eq         = 0x00
	neq        = 0x04
	less       = 0x11
	lessEq     = 0x12
	notLessEq  = 0x16 // or unordered
	greater    = 0x1e
	greaterEq  = 0x1d
	notGreater = 0x1a // or unordered
)

func (v isa) compare(predicate int, x, y Op) mask {
	m := v.newMask()
	VCMPPS(U8(predicate), y, x, m)
	return m
}

func (v isa) both(a, b mask) mask   { return v.masks(KANDW, VANDPS, a, b) }
func (v isa) either(a, b mask) mask { return v.masks(KORW, VORPS, a, b) }

// butNot returns a and not b.
func (v isa) butNot(a, b mask) mask { return v.masks(KANDNW, VANDNPS, a, b) }

func (v isa) masks(k func(a, b, m Op), y func(ops ...Op), a, b mask) mask {
	m := v.newMask()
	if v.lanes == 16 {
		k(a, b, m)
	} else {
		y(a, b, m)
	}
	return m
}

// choose returns m ? x : y.
func (v isa) choose(m mask, x, y Op) VecVirtual {
	r := v.reg()
	if v.lanes == 16 {
		VBLENDMPS(x, y, m, r)
	} else {
		VBLENDVPS(m, x, y, r)
	}
	return r
}

// The following change a register that lives across a loop.

func (v isa) set(dst, x Op)              { VMOVAPS(x, dst) }
func (v isa) addTo(dst VecVirtual, x Op) { VADDPS(x, dst, dst) }

// replace sets the lanes of dst under the mask to x.
func (v isa) replace(dst VecVirtual, m mask, x VecVirtual) {
	if v.lanes == 16 {
		VMOVAPS(x, m, dst)
	} else {
		VBLENDVPS(m, x, dst, dst)
	}
}

// include makes the mask dst true where m is.
func (v isa) include(dst, m mask) {
	if v.lanes == 16 {
		KORW(m, dst, dst)
	} else {
		VORPS(m, dst, dst)
	}
}

// laneBits returns the mask as an integer, bit i for lane i.
func (v isa) laneBits(m mask) Register {
	r := GP32()
	if v.lanes == 16 {
		KMOVW(m, r)
	} else {
		VMOVMSKPS(m, r)
	}
	return r
}
