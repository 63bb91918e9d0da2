package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// The plain quantizers of blocks of 32 values need no sums, and the greatest of a block
// is the same in whatever order it is looked for: here the lanes hold one block's values.
type plain32 struct {
	isa
	name  string
	size  int  // bytes of a block
	half  int  // levels below zero, if there is no min
	top   int  // the highest level, if there is a min
	fifth bool // levels have five bits
	eight bool // levels have eight bits

	x   []VecVirtual // the block
	src Mem
	dst Register
}

var plainTypes = []plain32{
	{name: "Q4_0", size: 18, half: 8},
	{name: "Q4_1", size: 20, top: 15},
	{name: "Q5_0", size: 22, half: 16, fifth: true},
	{name: "Q5_1", size: 24, top: 31, fifth: true},
	{name: "Q8_0", size: 34, eight: true},
}

// quantize emits the loop over blocks. It leaves off at a block that has a number which
// is not finite or so large or small that a quotient may not be.
func (k *plain32) quantize() {
	simd.Func("quantize"+k.name+k.isa.name, "func(dst []byte, src []float32) (blocks int)",
		"quantize"+k.name+k.isa.name+" quantizes blocks up to the first that the generic code has to do,",
		"and returns how many.")
	src, n := simd.Slice("src", 4), simd.Len("src")
	k.dst = Load(Param("dst").Base(), GP64())
	k.src = src.At(0)
	blocks := GP64()
	XORQ(blocks, blocks)
	SHRQ(U8(5), n)
	Label("block")
	CMPQ(blocks, n)
	JGE(LabelRef("done"))
	k.x = nil
	for i := 0; i < 32; i += k.lanes {
		k.x = append(k.x, k.load(src.At(i)))
	}
	noSign := k.constant(0x7fffffff)
	var magnitudes []VecVirtual
	for _, x := range k.x {
		magnitudes = append(magnitudes, k.and(x, noSign))
	}
	Comment("the greatest magnitude, as integers: NaN and infinity are above all others")
	greatest := k.reduce(magnitudes, func(x, y, r VecVirtual) { VPMAXUD(x, y, r) })
	bits := GP32()
	VMOVD(greatest.AsX(), bits)
	CMPL(bits, U32(0x7e000000))
	JAE(LabelRef("done"))
	if k.top > 0 {
		k.affine()
	} else {
		k.symmetric(bits, greatest, magnitudes)
	}
	ADDQ(U32(k.size), k.dst)
	ADDQ(U32(128), src.Base)
	INCQ(blocks)
	JMP(LabelRef("block"))
	Label("done")
	Store(blocks, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// reduce combines all lanes of the vectors, and leaves the result in the first lanes.
func (k *plain32) reduce(vectors []VecVirtual, combine func(x, y, r VecVirtual)) VecVirtual {
	r := k.reg()
	combine(vectors[0], vectors[1], r)
	for _, x := range vectors[2:] {
		combine(x, r, r)
	}
	y := YMM()
	if k.lanes == 16 {
		VEXTRACTF64X4(U8(1), r, y)
		combine(r.AsY().(VecVirtual), y, y)
	} else {
		y = r
	}
	x, other := XMM(), XMM()
	VEXTRACTF128(U8(1), y, x)
	combine(y.AsX().(VecVirtual), x, x)
	VPSHUFD(U8(0b01_00_11_10), x, other)
	combine(x, other, x)
	VPSHUFD(U8(0b10_11_00_01), x, other)
	combine(x, other, x)
	return x
}

// first returns the value at the first position where an element of a equals one of b, both
// as floats.
func (k *plain32) first(a []VecVirtual, b VecVirtual) VecVirtual {
	found := GP32()
	for i := len(a) - 1; i >= 0; i-- {
		bits := k.laneBits(k.compare(eq, a[i], b))
		if i == len(a)-1 {
			found = bits.(GPVirtual)
			continue
		}
		SHLL(U8(k.lanes), found)
		ORL(bits, found)
	}
	TZCNTL(found, found)
	value := XMM()
	VMOVSS(Mem{Base: k.src.Base, Index: found.As64(), Scale: 4}, value)
	return value
}

// spread returns the first lane of x in all lanes.
func (k *plain32) spread(x VecVirtual) VecVirtual { return k.broadcast(x.AsX()) }

// The constants are operands in memory: the loop leaves no register for them.

func (k *plain32) number(x float64) Mem { return k.constant(math.Float32bits(float32(x))) }

func (k *plain32) ints(x int) Mem { return k.constant(uint32(x)) }

func (k *plain32) constant(x uint32) Mem { return data.all(x) }

// scalar returns x in the lowest lane.
func (k *plain32) scalar(x float64) VecVirtual {
	r := XMM()
	VMOVSS(k.number(x), r)
	return r
}

// storeHalf stores the first lane of x as a half float.
func (k *plain32) storeHalf(x VecVirtual, at int) {
	h, g := XMM(), GP32()
	VCVTPS2PH(U8(0), x, h)
	VMOVD(h, g)
	MOVW(g.As16(), Mem{Base: k.dst, Disp: at})
}

// reciprocal returns 1/d, or 0 if d is; it leaves off if d is too small. divisor is |d| or d.
func (k *plain32) reciprocal(d VecVirtual) VecVirtual {
	g, inverse, zero := GP32(), XMM(), XMM()
	VMOVD(d, g)
	ADDL(g, g) // without the sign
	JZ(LabelRef("zero"))
	CMPL(g, U32(2*0x10000000)) // about 2^-95
	JB(LabelRef("done"))
	Label("zero")
	VDIVSS(d, k.scalar(1), inverse)
	VXORPS(zero, zero, zero)
	isZero := XMM()
	VCMPSS(U8(eq), zero, d, isZero)
	VANDNPS(inverse, isZero, inverse)
	return k.spread(inverse)
}

// symmetric quantizes by the value of the greatest magnitude.
func (k *plain32) symmetric(bits Register, greatest VecVirtual, magnitudes []VecVirtual) {
	d := XMM()
	if k.eight {
		VDIVSS(k.scalar(127), greatest, d)
	} else {
		peak, zero := k.first(magnitudes, k.spread(greatest)), XMM()
		Comment("of zeros the sign does not count")
		VXORPS(zero, zero, zero)
		VADDSS(zero, peak, peak)
		VDIVSS(k.scalar(float64(-k.half)), peak, d)
	}
	k.storeHalf(d, 0)
	inverse := k.reciprocal(d)
	if k.eight {
		k.bytes(inverse)
		return
	}
	middle, highest := k.number(float64(k.half)+0.5), k.ints(2*k.half-1)
	var levels []VecVirtual
	for _, x := range k.x {
		l := k.op1(VCVTTPS2DQ, k.add(k.mul(x, inverse), middle))
		VPMINSD(highest, l, l)
		levels = append(levels, l)
	}
	k.storeLevels(levels, 2)
}

// affine quantizes by the range of values.
func (k *plain32) affine() {
	low := k.reduce(k.x, func(x, y, r VecVirtual) { VMINPS(x, y, r) })
	high := k.reduce(k.x, func(x, y, r VecVirtual) { VMAXPS(x, y, r) })
	Comment("of zeros of both signs the first one counts")
	low = k.first(k.x, k.spread(low))
	d, zero := XMM(), XMM()
	VSUBSS(low, high, d)
	VXORPS(zero, zero, zero)
	VADDSS(zero, d, d) // no -0
	VDIVSS(k.scalar(float64(k.top)), d, d)
	k.storeHalf(d, 0)
	k.storeHalf(low, 2)
	inverse, base := k.reciprocal(d), k.spread(low)
	middle, highest := k.number(0.5), k.ints(k.top)
	var levels []VecVirtual
	for _, x := range k.x {
		l := k.op1(VCVTTPS2DQ, k.add(k.mul(k.sub(x, base), inverse), middle))
		VPMINSD(highest, l, l)
		levels = append(levels, l)
	}
	k.storeLevels(levels, 4)
}

// bytes rounds x·inverse, ties away from zero, and stores levels of eight bits: adding the
// number just below a half and dropping the fraction does it.
func (k *plain32) bytes(inverse VecVirtual) {
	sign, almostHalf := k.constant(0x80000000), k.constant(0x3effffff)
	var levels []VecVirtual
	for _, x := range k.x {
		q := k.mul(x, inverse)
		levels = append(levels, k.op1(VCVTTPS2DQ, k.add(q, k.or(k.and(q, sign), almostHalf))))
	}
	if k.lanes == 16 {
		VPMOVDB(levels[0], Mem{Base: k.dst, Disp: 2})
		VPMOVDB(levels[1], Mem{Base: k.dst, Disp: 18})
		return
	}
	low, high := YMM(), YMM()
	VPACKSSDW(levels[1], levels[0], low)
	VPACKSSDW(levels[3], levels[2], high)
	VPACKSSWB(high, low, low)
	Comment("packing works within 128-bit parts: sort the groups of four")
	VPERMD(low, k.load(data.ints("packedOrder", 0, 4, 1, 5, 2, 6, 3, 7)), low)
	VMOVDQU(low, Mem{Base: k.dst, Disp: 2})
}

// storeLevels stores the low four bits of 32 levels behind their fifth bits, if they have
// any. Byte j holds elements j and j+16.
func (k *plain32) storeLevels(levels []VecVirtual, at int) {
	if k.fifth {
		bits := GP32()
		for i := len(levels) - 1; i >= 0; i-- {
			m := GP32()
			if k.lanes == 16 {
				mask := K()
				VPTESTMD(k.ints(16), levels[i], mask)
				KMOVW(mask, m)
			} else {
				VMOVMSKPS(k.shiftLeft(levels[i], 27), m)
			}
			if i == len(levels)-1 {
				bits = m
				continue
			}
			SHLL(U8(k.lanes), bits)
			ORL(m, bits)
		}
		MOVL(bits, Mem{Base: k.dst, Disp: at})
		at += 4
		for i := range levels {
			levels[i] = k.and(levels[i], k.ints(15))
		}
	}
	out := Mem{Base: k.dst, Disp: at}
	if k.lanes == 16 {
		VPMOVDB(k.orInts(levels[0], k.shiftLeft(levels[1], 4)), out)
		return
	}
	a, b, x := k.orInts(levels[0], k.shiftLeft(levels[2], 4)), k.orInts(levels[1], k.shiftLeft(levels[3], 4)), XMM()
	VPACKUSDW(b, a, a)
	VPERMQ(U8(0b11_01_10_00), a, a)
	VEXTRACTI128(U8(1), a, x)
	VPACKUSWB(x, a.AsX(), x)
	VMOVDQU(x, out)
}
