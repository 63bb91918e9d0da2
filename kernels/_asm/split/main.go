// Command split generates the search for the best split of a sub-block, the heart of
// the IQ1 quantizers.
//
// All pairs of places are tried, and for each the choices of δ, in the order of the
// generic code: for each low place a row of candidates, high place by high place and
// choice by choice, eight in a go. What depends on the high place alone is laid out
// like the row beforehand. The best score grows rarely; where a candidate beats it, the
// first one does so alone, and the rest of its eight are compared anew.
package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func main() {
	ConstraintExpr("!purego")
	splitS()
	splitM()
	rank(16)
	rank(32)
	Generate()
}

// Offsets in iq1Scan.
const (
	sumsAt  = 0
	wideAt  = 768
	lanesAt = 2048
	scaleAt = 2112
	lowAt   = 2116
	highAt  = 2120

	sumsRow = 192 // bytes of a row of sums
	wideRow = 320
)

// δ is 1/8 for choice 0, -1/8 for choice 1.
func t(level, choice int) float32 { return float32(level-1) + []float32{0.125, -0.125}[choice] }

// splitS: the choice of δ holds for all 32 values. The rows of sums are those of
// values and weights.
func splitS() {
	simd.Func("iq1SplitSAVX2", "func(scan *float32)",
		"iq1SplitSAVX2 tries the splits of iq1SplitSGeneric. scan is the start of an iq1Scan.")
	scan := Load(Param("scan"), GP64())
	const n, choices = 32, 2
	q0 := constant("splitLow", func(i int) float32 { return t(0, i%2) })
	q1 := constant("splitMiddle", func(i int) float32 { return t(1, i%2) })
	q2 := constant("splitHigh", func(i int) float32 { return t(2, i%2) })

	Comment("What depends on the high place: the sums up to it and the terms of those from it on.")
	spread := spreadOver(choices)
	totalX, totalW, q := YMM(), YMM(), YMM()
	VBROADCASTSS(Mem{Base: scan}.Offset(sumsAt+4*n), totalX)
	VBROADCASTSS(Mem{Base: scan}.Offset(sumsAt+sumsRow+4*n), totalW)
	VMOVUPS(q2, q)
	for high := 0; high <= n; high += 8 / choices {
		out := Mem{Base: scan}.Offset(wideAt + 4*choices*high)
		x, w := YMM(), YMM()
		VPERMPS(Mem{Base: scan}.Offset(sumsAt+4*high), spread, x)
		VPERMPS(Mem{Base: scan}.Offset(sumsAt+sumsRow+4*high), spread, w)
		VMOVUPS(x, out)
		VMOVUPS(w, out.Offset(wideRow))
		VSUBPS(x, totalX, x)
		VMULPS(q, x, x)
		VMOVUPS(x, out.Offset(2*wideRow))
		VSUBPS(w, totalW, w)
		VMULPS(q, w, w)
		VMULPS(q, w, w)
		VMOVUPS(w, out.Offset(3*wideRow))
	}

	VMOVUPS(q1, q)
	x, w, termX, termW := YMM(), YMM(), YMM(), YMM()
	rows(scan, n, choices, func(low Mem) {
		VBROADCASTSS(low.Offset(sumsAt), x)
		VBROADCASTSS(low.Offset(sumsAt+sumsRow), w)
		VMULPS(q0, x, termX)
		VMULPS(q0, w, termW)
		VMULPS(q0, termW, termW)
	}, func(wide func(i int) Mem) (xq, q2 VecVirtual) {
		xq, q2 = YMM(), YMM()
		VMOVUPS(wide(0), xq)
		VSUBPS(x, xq, xq)
		VMULPS(q, xq, xq)
		VADDPS(xq, termX, xq)
		VADDPS(wide(2), xq, xq)
		VMOVUPS(wide(1), q2)
		VSUBPS(w, q2, q2)
		VMULPS(q, q2, q2)
		VMULPS(q, q2, q2)
		VADDPS(q2, termW, q2)
		VADDPS(wide(3), q2, q2)
		return xq, q2
	})
}

// splitM: δ is chosen for either half of 16 values. The rows of sums are those of the
// halves' values and the halves' weights.
func splitM() {
	simd.Func("iq1SplitMAVX2", "func(scan *float32)",
		"iq1SplitMAVX2 tries the splits of iq1SplitMGeneric. scan is the start of an iq1Scan.")
	scan := Load(Param("scan"), GP64())
	const n, choices = 16, 4
	choice := func(half, i int) int { return i >> (1 - half) & 1 }
	var top, fall, fall2 [2]Mem // by half: 1+δ, and how the squares fall at the low and high place
	for half := range 2 {
		top[half] = constant(fmt.Sprintf("splitTop%d", half), func(i int) float32 { return t(2, choice(half, i)) })
		fall[half] = constant(fmt.Sprintf("splitFall%d", half), func(i int) float32 {
			c := choice(half, i)
			return t(0, c)*t(0, c) - t(1, c)*t(1, c)
		})
		fall2[half] = constant(fmt.Sprintf("splitFallHigh%d", half), func(i int) float32 {
			c := choice(half, i)
			return t(1, c)*t(1, c) - t(2, c)*t(2, c)
		})
	}

	Comment("What depends on the high place: the sums up to it, and by how much the squares fall.")
	spread := spreadOver(choices)
	for high := 0; high <= n; high += 8 / choices {
		out := Mem{Base: scan}.Offset(wideAt + 4*choices*high)
		for i := range 4 {
			v := YMM()
			VPERMPS(Mem{Base: scan}.Offset(sumsAt+i*sumsRow+4*high), spread, v)
			if i >= 2 {
				VMULPS(fall2[i-2], v, v)
			}
			VMOVUPS(v, out.Offset(i*wideRow))
		}
	}
	var totalX, totalW, x, w [2]VecVirtual
	for half := range 2 {
		totalX[half], totalW[half], x[half], w[half] = YMM(), YMM(), YMM(), YMM()
		VBROADCASTSS(Mem{Base: scan}.Offset(sumsAt+half*sumsRow+4*n), totalX[half])
		VMULPS(top[half], totalX[half], totalX[half])
		VBROADCASTSS(Mem{Base: scan}.Offset(sumsAt+(2+half)*sumsRow+4*n), totalW[half])
		VMULPS(top[half], totalW[half], totalW[half])
		VMULPS(top[half], totalW[half], totalW[half])
	}
	rows(scan, n, choices, func(low Mem) {
		for half := range 2 {
			VBROADCASTSS(low.Offset(sumsAt+half*sumsRow), x[half])
			VBROADCASTSS(low.Offset(sumsAt+(2+half)*sumsRow), w[half])
			VMULPS(fall[half], w[half], w[half])
			VADDPS(w[half], totalW[half], w[half])
		}
	}, func(wide func(i int) Mem) (xq, q2 VecVirtual) {
		var xs, ws [2]VecVirtual
		for half := range 2 {
			xs[half], ws[half] = YMM(), YMM()
			VADDPS(wide(half), x[half], xs[half])
			VSUBPS(xs[half], totalX[half], xs[half])
			VADDPS(wide(2+half), w[half], ws[half])
		}
		VADDPS(xs[1], xs[0], xs[0])
		VADDPS(ws[1], ws[0], ws[0])
		return xs[0], ws[0]
	})
}

// spreadOver returns the permutation that repeats each lane as often as there are choices.
func spreadOver(choices int) VecVirtual {
	v := YMM()
	VMOVDQU(constantBits(fmt.Sprintf("splitSpread%d", choices), func(i int) uint32 { return uint32(i / choices) }), v)
	return v
}

// rows tries all pairs of a low and a high place, low ≤ high ≤ n. setLow prepares a low
// place, whose sums start at the memory given; sums returns what 8 candidates score by.
//
// A candidate's score is xq²/q2. As long as the best score grows with every other
// candidate, finding out is slow. So the search starts out from what the candidates of
// two likely rows reach at most, less 2^-14 of that: candidates below can't win and, the
// rounding of scores being 2^-21 of them, have no say in which of those above does. Only
// between 2^-14 and 2^-15 below could the order matter in which candidates are compared:
// if the first one that is not below is there, the search starts again from nothing.
func rows(scan Register, n, choices int, setLow func(low Mem), sums func(wide func(i int) Mem) (xq, q2 VecVirtual)) {
	low, at, end := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: scan}.Offset(4*choices*(n+1)), end)
	start := func() {
		setLow(Mem{Base: scan, Index: low, Scale: 4})
		MOVQ(low, at)
		SHLQ(U8(map[int]uint8{2: 3, 4: 4}[choices]), at)
		ADDQ(scan, at)
	}
	wide := func(i int) Mem { return Mem{Base: at}.Offset(wideAt + i*wideRow) }

	Comment("The greatest score of the likely rows. It counts if nothing comes near underflow.")
	best := YMM()
	VXORPS(best, best, best)
	MOVQ(U32(n/4), low)
	Label("likely")
	start()
	Label("likelyCandidates")
	{
		xq, q2 := sums(wide)
		normal := YMM()
		VMULPS(xq, xq, xq)
		VMINPS(q2, xq, normal)
		VDIVPS(q2, xq, xq)
		VCMPPS(U8(1), normal, constantLoad("splitNormal", 0x1p-60), normal)
		VANDPS(normal, xq, xq)
		VMAXPS(xq, best, best)
	}
	ADDQ(U8(32), at)
	CMPQ(at, end)
	JL(LabelRef("likelyCandidates"))
	ADDQ(U8(n/16), low)
	CMPQ(low, U8(n/4+n/16))
	JLE(LabelRef("likely"))
	w := YMM()
	VPERM2F128(U8(1), best, best, w)
	VMAXPS(w, best, best)
	for _, shuffle := range []uint8{0b01_00_11_10, 0b10_11_00_01} {
		VPERMILPS(U8(shuffle), best, w)
		VMAXPS(w, best, best)
	}
	above := YMM() // where a first candidate must be
	VMULPS(constant("splitAbove", func(int) float32 { return 1 - 0x1p-15 }), best, above)
	VMULPS(constant("splitBelow", func(int) float32 { return 1 - 0x1p-14 }), best, best)
	found := GP64()
	XORQ(found, found)
	VUCOMISS(constant("splitLikely", func(int) float32 { return 0x1p-100 }), best.AsX())
	JCC(LabelRef("search"))

	Label("fromNothing")
	VMOVUPS(constant("splitLeast", func(int) float32 { return -math.MaxFloat32 }), best)
	VMOVUPS(best, above)

	Label("search")
	XORQ(low, low)
	Label("rows")
	start()

	Label("candidates")
	xq, q2 := sums(wide)
	square, limit := YMM(), YMM()
	VMULPS(xq, xq, square)
	VMULPS(q2, best, limit)
	VCMPPS(U8(1), square, limit, limit)
	beats := GP32()
	VMOVMSKPS(limit, beats)
	TESTL(beats, beats)
	JNZ(LabelRef("better"))

	Label("next")
	ADDQ(U8(32), at)
	CMPQ(at, end)
	JL(LabelRef("candidates"))
	INCQ(low)
	CMPQ(low, U8(n))
	JLE(LabelRef("rows"))
	TESTQ(found, found)
	JNZ(LabelRef("done"))
	INCQ(found)
	JMP(LabelRef("fromNothing")) // the greatest score was infinite
	Label("done")
	VZEROUPPER()
	RET()

	Comment("The first that beats the best score, with q2 > 0, sets it for the others.")
	Label("better")
	positive := YMM()
	VXORPS(positive, positive, positive)
	VCMPPS(U8(1), q2, positive, positive)
	VANDPS(positive, limit, limit)
	VMOVMSKPS(limit, beats)
	TESTL(beats, beats)
	JZ(LabelRef("next"))
	VMOVUPS(xq, Mem{Base: scan}.Offset(lanesAt))
	VMOVUPS(q2, Mem{Base: scan}.Offset(lanesAt+32))
	TESTQ(found, found)
	JNZ(LabelRef("again"))
	INCQ(found)
	clear, first := GP32(), GP64()
	VMULPS(q2, above, limit)
	VCMPPS(U8(1), square, limit, limit)
	VMOVMSKPS(limit, clear)
	TZCNTL(beats, first.As32())
	BTL(first.As32(), clear)
	JCC(LabelRef("fromNothing"))

	Label("again")
	TZCNTL(beats, first.As32())
	scale, score := XMM(), XMM()
	VMOVSS(Mem{Base: scan, Index: first, Scale: 4}.Offset(lanesAt), score)
	VDIVSS(Mem{Base: scan, Index: first, Scale: 4}.Offset(lanesAt+32), score, scale)
	VMOVSS(scale, Mem{Base: scan}.Offset(scaleAt))
	VMULSS(scale, score, score)
	VBROADCASTSS(score, best)
	MOVL(low.As32(), Mem{Base: scan}.Offset(lowAt))
	place := GP64()
	MOVQ(at, place)
	SUBQ(scan, place)
	SHRQ(U8(2), place)
	ADDQ(first, place)
	MOVL(place.As32(), Mem{Base: scan}.Offset(highAt))
	later := GP32()
	MOVL(I32(-2), later)
	MOVQ(first, RCX)
	SHLL(CL, later)
	VMULPS(q2, best, limit)
	VCMPPS(U8(1), square, limit, limit)
	VANDPS(positive, limit, limit)
	VMOVMSKPS(limit, beats)
	ANDL(later, beats)
	JNZ(LabelRef("again"))
	JMP(LabelRef("next"))
}

// rank numbers n values in ascending order, equal ones as they come.
func rank(n int) {
	name := fmt.Sprintf("rank%dAVX2", n)
	simd.Func(name, "func(ranks *int32, x *float32)", fmt.Sprintf("%s sets ranks[i] to the place of x[i] in the ascending order of %d values.", name, n))
	ranks, x := Load(Param("ranks"), GP64()), Load(Param("x"), GP64())
	values, places := make([]VecVirtual, n/8), make([]VecVirtual, n/8)
	for i := range values {
		values[i], places[i] = YMM(), YMM()
		VMOVUPS(Mem{Base: x}.Offset(32*i), values[i])
		VPXOR(places[i], places[i], places[i])
	}
	other, before, equal := YMM(), YMM(), YMM()
	for j := range n {
		VBROADCASTSS(Mem{Base: x}.Offset(4*j), other)
		for i, v := range values {
			switch {
			case i < j/8: // less
				VCMPPS(U8(1), v, other, before)
			case i > j/8: // less or equal
				VCMPPS(U8(2), v, other, before)
			default:
				VCMPPS(U8(1), v, other, before)
				if j%8 != 7 {
					VCMPPS(U8(0), v, other, equal)
					VANDPS(constantBits(fmt.Sprintf("rankAfter%d", j%8), func(lane int) uint32 {
						if lane > j%8 {
							return math.MaxUint32
						}
						return 0
					}), equal, equal)
					VORPS(equal, before, before)
				}
			}
			VPSUBD(before, places[i], places[i])
		}
	}
	for i, p := range places {
		VMOVDQU(p, Mem{Base: ranks}.Offset(32*i))
	}
	VZEROUPPER()
	RET()
}

func constantLoad(name string, x float32) VecVirtual {
	v := YMM()
	VMOVUPS(constant(name, func(int) float32 { return x }), v)
	return v
}

func constant(name string, value func(i int) float32) Mem {
	return constantBits(name, func(i int) uint32 { return math.Float32bits(value(i)) })
}

// constantBits returns a constant of 8 lanes.
func constantBits(name string, value func(i int) uint32) Mem {
	m, ok := constants[name]
	if !ok {
		m = GLOBL(name, attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(4*i, U32(value(i)))
		}
		constants[name] = m
	}
	return m
}

var constants = map[string]Mem{}
