package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// Fields of levelLanes.
const (
	levelD = iota
	levelM
	levelInverse
	levelBase
	levelWild
)

// levels quantizes columns under stored scales: the level is (x+m)/d, or
// (x-base)·inverse where d is 0, rounded, clamped to lo..hi and counted from lo; it is
// 0 where inverse is 0 as well. Four columns make a column of packed bytes.
func levels(v isa) {
	simd.Func("levels"+v.name, "func(packed *uint32, x, p *float32, n int, lo, hi float32)",
		"levels"+v.name+" is levelLanes.quantize of n columns, a multiple of 4.")
	packed := Load(Param("packed"), GP64())
	x, p, end := v.columns("x"), loadFields("p"), v.byteLen()
	k := levelKernel{isa: v, packed: packed, x: x, end: end, lo: v.param("lo"), hi: v.param("hi")}
	k.d, k.m, k.peak, k.noSign = v.load(p.at(levelD)), v.load(p.at(levelM)), v.zero(), v.bits(0x7fffffff)
	fallback := v.compare(eq, k.d, v.zero())
	zeros := v.laneBits(fallback)
	TESTL(zeros, zeros)
	JNZ(LabelRef("zeros"))
	k.loop("column", nil)
	JMP(LabelRef("done"))

	Label("zeros")
	f := &levelFallback{mask: fallback, inverse: v.load(p.at(levelInverse)), base: v.load(p.at(levelBase))}
	f.dead = v.both(fallback, v.compare(eq, f.inverse, v.zero()))
	CMPL(zeros, U32(1<<v.lanes-1))
	JE(LabelRef("allZeros"))
	v.replace(k.d, fallback, v.bits(0x3f800000))
	k.loop("columnZeros", f)
	JMP(LabelRef("done"))

	Label("allZeros")
	f.everywhere = true
	k.loop("columnAllZeros", f)

	Label("done")
	p.storeBits(v.laneBits(v.compare(notLessEq, k.peak, v.bits(wildest))), levelWild)
	VZEROUPPER()
	RET()
}

type levelKernel struct {
	isa
	packed                     Register
	x                          columns
	end                        Register
	d, m, lo, hi, peak, noSign VecVirtual
}

// levelFallback says what to do in lanes where d is 0.
type levelFallback struct {
	mask, dead    mask
	inverse, base VecVirtual
	everywhere    bool // d is 0 in all lanes
}

func (k *levelKernel) loop(label string, f *levelFallback) {
	offset := GP64()
	XORQ(offset, offset)
	Label(label)
	var word VecVirtual
	for i := range 4 {
		a := k.load(k.x.at(position{offset, i}))
		var t VecVirtual
		switch {
		case f == nil:
			t = k.div(k.add(a, k.m), k.d)
		case f.everywhere:
			t = k.mul(f.inverse, k.sub(a, f.base))
		default:
			t = k.div(k.add(a, k.m), k.d)
			k.replace(t, f.mask, k.mul(f.inverse, k.sub(a, f.base)))
		}
		VMAXPS(k.and(t, k.noSign), k.peak, k.peak)
		l := k.sub(k.min(k.max(k.round(t), k.lo), k.hi), k.lo)
		if f != nil {
			k.replace(l, f.dead, k.isa.zero())
		}
		b := k.toInt(l)
		if i == 0 {
			word = b
		} else {
			word = k.orInts(word, k.shiftLeft(b, 8*i))
		}
	}
	VMOVUPS(word, Mem{Base: k.packed})
	ADDQ(U32(k.bytes()), k.packed)
	ADDQ(U32(4*k.bytes()), offset)
	CMPQ(offset, k.end)
	JLT(LabelRef(label))
}

// param returns the float32 parameter of that name in every lane.
func (v isa) param(name string) VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return v.broadcast(p.Addr)
}
