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
)

// levels quantizes columns under stored scales: the level is (x+m)/d, or
// (x-base)·inverse where d is 0, rounded, clamped to lo..hi and counted from lo; it is
// 0 where inverse is 0 as well. Four columns make a column of packed bytes.
//
// It rounds as nearestInt does, by adding 1.5·2^23, so that it gives the same for all numbers.
// The levels are what comes out in the low bits plus 2^22 until they are packed.
func levels(v isa) {
	simd.Func("levels"+v.name, "func(packed *uint32, x, p *float32, n int, lo, hi float32)",
		"levels"+v.name+" is levelLanes.quantize of n columns, a multiple of 4.")
	k, p := newLevelKernel(v), loadFields("p")
	k.d, k.m = v.load(p.at(levelD)), v.load(p.at(levelM))
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
	VZEROUPPER()
	RET()
}

// searchLevels is levels where d is 0 in all lanes.
func searchLevels(v isa) {
	simd.Func("searchLevels"+v.name, "func(packed *uint32, x *float32, inverse, base *[16]float32, n int, lo, hi float32)",
		"searchLevels"+v.name+" is levelLanes.quantize of n columns, a multiple of 4, with a d of 0.")
	k := newLevelKernel(v)
	f := &levelFallback{inverse: v.load(loadFields("inverse").at(0)), base: v.load(loadFields("base").at(0)), everywhere: true}
	f.dead = v.compare(eq, f.inverse, v.zero())
	k.loop("column", f)
	VZEROUPPER()
	RET()
}

func newLevelKernel(v isa) *levelKernel {
	k := &levelKernel{isa: v, packed: Load(Param("packed"), GP64()), x: v.columns("x"), end: v.byteLen(),
		magic: v.bits(0x4b400000), mantissa: v.bits(0x7fffff)}
	k.lo, k.hi = k.biased("lo"), k.biased("hi")
	Comment("lo in each byte of a word")
	k.los = v.addInts(k.lo, v.shiftLeft(k.lo, 8))
	k.los = v.addInts(k.los, v.shiftLeft(k.los, 16))
	return k
}

type levelKernel struct {
	isa
	packed          Register
	x               columns
	end             Register
	d, m            VecVirtual
	magic, mantissa VecVirtual
	lo, hi, los     VecVirtual // plus 2^22
}

// levelFallback says what to do in lanes where d is 0.
type levelFallback struct {
	mask, dead    mask
	inverse, base VecVirtual
	everywhere    bool // d is 0 in all lanes
}

// biased returns the parameter plus 2^22.
func (k *levelKernel) biased(param string) VecVirtual {
	return k.and(k.add(k.param(param), k.magic), k.mantissa)
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
		l := k.and(k.add(t, k.magic), k.mantissa)
		l = k.op2(VPMINSD, k.op2(VPMAXSD, l, k.lo), k.hi)
		if i == 0 {
			word = l
		} else {
			word = k.addInts(word, k.shiftLeft(l, 8*i))
		}
	}
	word = k.op2(VPSUBD, word, k.los)
	if f != nil {
		k.replace(word, f.dead, k.isa.zero())
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
