package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// A decode32 is the way back from blocks of 32 values that start with their scale.
type decode32 struct {
	isa
	name   string
	size   int          // bytes of a block
	levels int          // where the levels are; fifth bits are four bytes before them
	middle int          // the level of zero
	min    bool         // another half float is added
	fifth  bool         // levels have five bits
	eight  bool         // levels have eight bits, with a sign
	power  bool         // the scale is half a power of two, not a half float
	table  *[16]float32 // what levels stand for, if not themselves

	src Register
}

var decoded32 = []decode32{
	{name: "Q4_0", size: 18, levels: 2, middle: 8},
	{name: "Q4_1", size: 20, levels: 4, min: true},
	{name: "Q5_0", size: 22, levels: 6, middle: 16, fifth: true},
	{name: "Q5_1", size: 24, levels: 8, min: true, fifth: true},
	{name: "Q8_0", size: 34, levels: 2, eight: true},
	{name: "IQ4_NL", size: 18, levels: 2, table: &iq4Values},
	{name: "MXFP4", size: 17, levels: 1, table: &e2m1Doubled, power: true},
}

// e2m1Doubled are twice the values of 4-bit floats.
var e2m1Doubled = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// dequantize emits the loop over blocks.
func (k *decode32) dequantize() {
	name := "dequantize" + k.name + k.isa.name
	simd.Func(name, "func(dst []float32, src []byte)", name+" is dequantize"+k.name+"Generic of one block or more.")
	dst, n := simd.Slice("dst", 4), simd.Len("dst")
	k.src = simd.Slice("src", 1).Base
	Label("block")
	d, levels := k.scale(), k.load32()
	var minus VecVirtual
	if k.min {
		minus = k.xor(k.half(2), data.all(0x80000000))
	}
	for i := 0; i < 32; i += k.lanes {
		x := k.mul(d, k.op1(VCVTDQ2PS, k.op1(VPMOVSXBD, k.part(levels, i))))
		if k.min {
			x = k.sub(x, minus)
		}
		VMOVUPS(x, dst.At(i))
	}
	ADDQ(U32(k.size), k.src)
	ADDQ(U32(128), dst.Base)
	SUBQ(U32(32), n)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

func (k *decode32) at(i int) Mem { return Mem{Base: k.src, Disp: i} }

// scale returns the scale in every lane.
func (k *decode32) scale() VecVirtual {
	if !k.power {
		return k.half(0)
	}
	Comment("2^(e-128), which is subnormal for e < 2")
	e, bits, subnormal := GP32(), GP32(), GP32()
	MOVBLZX(k.at(0), e)
	LEAL(Mem{Base: e, Disp: -1}, bits)
	SHLL(U8(23), bits)
	LEAL(Mem{Base: e, Disp: 1}, subnormal)
	SHLL(U8(21), subnormal)
	CMPL(e, U32(2))
	CMOVLCS(subnormal, bits)
	x := XMM()
	VMOVD(bits, x)
	return k.broadcast(x)
}

// half returns the half float at byte i in every lane.
func (k *decode32) half(i int) VecVirtual {
	var h VecVirtual
	if k.lanes == 16 {
		h = YMM()
	} else {
		h = XMM()
	}
	VPBROADCASTW(k.at(i), h)
	return k.op1(VCVTPH2PS, h)
}

// load32 returns the levels of a block as signed bytes.
func (k *decode32) load32() VecVirtual {
	if k.eight {
		return loadBytes(k.at(k.levels))
	}
	levels := YMM()
	VBROADCASTI128(k.at(k.levels), levels)
	Comment("the high halves of the bytes are the second 16 levels")
	VPSRLVQ(data.longs("highNibbles", 0, 0, 4, 4), levels, levels)
	levels = and(levels, data.all(0x0f0f0f0f))
	switch {
	case k.fifth:
		bits := YMM()
		VPBROADCASTD(k.at(k.levels-4), bits)
		Comment("byte i/8 of the bits for level i, then only its bit")
		VPSHUFB(data.longs("bitBytes", 0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303), bits, bits)
		one := data.longs("bitOfByte", 0x8040201008040201, 0x8040201008040201, 0x8040201008040201, 0x8040201008040201)
		bits = and(bits, one)
		VPCMPEQB(one, bits, bits)
		if k.middle > 0 {
			Comment("without the fifth bit, a level is 16 less than its low four bits")
			VPANDN(data.all(0xf0f0f0f0), bits, bits)
		} else {
			bits = and(bits, data.all(0x10101010))
		}
		return avx2.orInts(levels, bits)
	case k.table != nil:
		values := YMM()
		VBROADCASTI128(data.bytes16(k.name+"Bytes", *k.table), values)
		VPSHUFB(levels, values, levels)
	case k.middle > 0:
		VPSUBB(data.all(0x01010101*uint32(k.middle)), levels, levels)
	}
	return levels
}

// part returns as many bytes as there are lanes, from the i-th on, in the low part of a
// register.
func (k *decode32) part(bytes VecVirtual, i int) VecVirtual {
	x := bytes.AsX().(VecVirtual)
	if i >= 16 {
		x = XMM()
		VEXTRACTI128(U8(1), bytes, x)
	}
	if i%16 == 8 {
		upper := XMM()
		VPSRLDQ(U8(8), x, upper)
		x = upper
	}
	return x
}
