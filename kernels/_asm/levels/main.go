// Command levels generates the kernels of checkpoints whose codes and scales are tensors
// of their own: codes as bytes, and the ranges of groups.
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
	peak()
	peaks()
	extremes()
	groupExtremes()
	nf4()
	e2m1()
	affine()
	levels()
	divide()
	affineEnds()
	nibbles()
	fitInt4()
	fitE2M1()

	nf4AVX512()
	e2m1AVX512()
	affineAVX512()
	levelsAVX512()
	Generate()
}

const less = U8(1)

// constant returns a constant of 8 equal lanes.
func constant(name string, x float32) Mem {
	c := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i := range 8 {
		DATA(4*i, U32(math.Float32bits(x)))
	}
	return c
}

// bytes emits the loop over n values, a positive multiple of 16: level returns the codes
// of 8 of them, which lie at m, as 32-bit integers.
func bytes(signed bool, level func(m Mem) VecVirtual) {
	dst, x, n := simd.Slice("levels", 1), simd.Slice("x", 4), simd.Len("levels")
	Label("values")
	sixteen(dst, x, signed, level)
	SUBQ(U8(16), n)
	JNZ(LabelRef("values"))
	VZEROUPPER()
	RET()
}

// sixteen stores the codes of 16 values as bytes, and moves on.
func sixteen(dst, x simd.Array, signed bool, level func(m Mem) VecVirtual) {
	a, b := level(x.At(0)), level(x.At(8))
	upper := XMM()
	if signed {
		VPACKSSDW(b, a, a)
	} else {
		VPACKUSDW(b, a, a)
	}
	VPERMQ(U8(0b11_01_10_00), a, a)
	VEXTRACTI128(U8(1), a, upper)
	if signed {
		VPACKSSWB(upper, a.AsX(), upper)
	} else {
		VPACKUSWB(upper, a.AsX(), upper)
	}
	VMOVDQU(upper, dst.At(0))
	ADDQ(U8(64), x.Base)
	ADDQ(U8(16), dst.Base)
}

// groups emits the loop over groups of a positive multiple of 16 values, one for each of
// scales: begin does what is done once a group, level is as in bytes.
func groups(begin func(scale Mem), level func(m Mem) VecVirtual) {
	dst, x := simd.Slice("levels", 1), simd.Slice("x", 4)
	scales, n := simd.Slice("scales", 4), simd.Len("scales")
	group, left := Load(Param("group"), GP64()), GP64()
	Label("groups")
	begin(scales.At(0))
	MOVQ(group, left)
	Label("values")
	sixteen(dst, x, false, level)
	SUBQ(U8(16), left)
	JNZ(LabelRef("values"))
	ADDQ(U8(4), scales.Base)
	DECQ(n)
	JNZ(LabelRef("groups"))
	VZEROUPPER()
	RET()
}

// fold combines the lanes of v by op and stores the result.
func fold(v VecVirtual, op func(ops ...Op), to Op) {
	half, x := XMM(), v.AsX()
	VEXTRACTF128(U8(1), v, half)
	op(half, x, x)
	for _, shuffle := range []uint8{0b01_00_11_10, 0b10_11_00_01} {
		VPERMILPS(U8(shuffle), x, half)
		op(half, x, x)
	}
	VMOVSS(x, to)
}

func minimum(ops ...Op) { VMINPS(ops[0], ops[1], ops[2]) }
func maximum(ops ...Op) { VMAXPS(ops[0], ops[1], ops[2]) }

func result(name string) Op {
	p, err := Return(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func peak() {
	simd.Func("groupPeakAVX2", "func(x []float32) (peak float32)", "groupPeakAVX2 is absPeak for a positive number of times 8.")
	x, n := simd.Slice("x", 4), simd.Len("x")
	magnitude, most, v := simd.Const32(YMM, 0x7fffffff), YMM(), YMM()
	VPXOR(most, most, most)
	Label("values")
	VANDPS(x.At(0), magnitude, v)
	VMAXPS(most, v, most) // most if v is NaN
	ADDQ(U8(32), x.Base)
	SUBQ(U8(8), n)
	JNZ(LabelRef("values"))
	fold(most, maximum, result("peak"))
	VZEROUPPER()
	RET()
}

// peaks generates peak for many groups: the end of one is done beside the next.
func peaks() {
	simd.Func("peakGroupsAVX2", "func(peaks, x []float32, group int)",
		"peakGroupsAVX2 sets peaks[i] to absPeak of the i-th group, of a positive number of times 16 values, for all of peaks.")
	out, x, n := simd.Slice("peaks", 4), simd.Slice("x", 4), simd.Len("peaks")
	group, left := Load(Param("group"), GP64()), GP64()
	magnitude, most, v := simd.Const32(YMM, 0x7fffffff), YMM(), YMM()
	Label("groups")
	VPXOR(most, most, most)
	MOVQ(group, left)
	Label("values")
	for i := 0; i < 16; i += 8 {
		VANDPS(x.At(i), magnitude, v)
		VMAXPS(most, v, most) // most if v is NaN
	}
	ADDQ(U8(64), x.Base)
	SUBQ(U8(16), left)
	JNZ(LabelRef("values"))
	fold(most, maximum, out.At(0))
	ADDQ(U8(4), out.Base)
	DECQ(n)
	JNZ(LabelRef("groups"))
	VZEROUPPER()
	RET()
}

func extremes() {
	simd.Func("extremesAVX2", "func(x []float32) (low, high float32)",
		"extremesAVX2 is extremesGeneric for a positive number of times 8, without NaNs, but for the sign of zeros.")
	x, n := simd.Slice("x", 4), simd.Len("x")
	low, high := YMM(), YMM()
	VMOVUPS(x.At(0), low)
	VMOVUPS(x.At(0), high)
	Label("values")
	VMINPS(x.At(0), low, low)
	VMAXPS(x.At(0), high, high)
	ADDQ(U8(32), x.Base)
	SUBQ(U8(8), n)
	JNZ(LabelRef("values"))
	fold(low, minimum, result("low"))
	fold(high, maximum, result("high"))
	VZEROUPPER()
	RET()
}

// groupExtremes generates extremes for many groups.
func groupExtremes() {
	simd.Func("groupExtremesAVX2", "func(lows, highs, x []float32, group int)",
		"groupExtremesAVX2 sets lows[i] and highs[i] to the extremes of the i-th group, of a positive number of times 16 values",
		"without NaNs, for all of lows, but for the sign of zeros.")
	lows, highs, x := simd.Slice("lows", 4), simd.Slice("highs", 4), simd.Slice("x", 4)
	n, group, left := simd.Len("lows"), Load(Param("group"), GP64()), GP64()
	low, high := YMM(), YMM()
	Label("groups")
	VMOVUPS(x.At(0), low)
	VMOVUPS(x.At(0), high)
	MOVQ(group, left)
	Label("values")
	for i := 0; i < 16; i += 8 {
		VMINPS(x.At(i), low, low)
		VMAXPS(x.At(i), high, high)
	}
	ADDQ(U8(64), x.Base)
	SUBQ(U8(16), left)
	JNZ(LabelRef("values"))
	fold(low, minimum, lows.At(0))
	fold(high, maximum, highs.At(0))
	ADDQ(U8(4), lows.Base)
	ADDQ(U8(4), highs.Base)
	DECQ(n)
	JNZ(LabelRef("groups"))
	VZEROUPPER()
	RET()
}

// values are those of NF4.
var values = [16]float32{-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
	-0.28444138169288635, -0.18477343022833234, -0.09105003625154495, 0,
	0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
	0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1}

func load(m Mem) VecVirtual {
	v := YMM()
	VMOVUPS(m, v)
	return v
}

// table returns a constant of 8 lanes, or of 16 for as many numbers; of fewer numbers,
// they are repeated.
func table(name string, x ...float32) Mem {
	c := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i := range max(8, len(x)) {
		DATA(4*i, U32(math.Float32bits(x[i%len(x)])))
	}
	return c
}

// nf4 finds how many midpoints are below a value one bit after the other, from the
// highest on: the bits that are known choose the next midpoint from a table.
func nf4() {
	var middles [15]float32
	for i := range middles {
		middles[i] = (values[i] + values[i+1]) / 2
	}
	simd.Func("nf4LevelsAVX2", "func(levels []uint8, x, scales []float32, group int)",
		"nf4LevelsAVX2 is nf4LevelsGeneric for groups of a positive number of times 16.")
	one, least, inverse := load(constant("nf4One", 1)), load(constant("nf4Least", 1e-38)), YMM()
	first := load(table("nf4First", middles[7]))
	second := [2]VecVirtual{load(table("nf4SecondLow", middles[3])), load(table("nf4SecondHigh", middles[11]))}
	third := load(table("nf4Third", middles[1], middles[5], middles[9], middles[13]))
	var last []float32
	for i := 0; i < 15; i += 2 {
		last = append(last, middles[i])
	}
	fourth := load(table("nf4Fourth", last...))
	groups(func(scale Mem) {
		VBROADCASTSS(scale, inverse)
		VMAXPS(least, inverse, inverse)
		VDIVPS(inverse, one, inverse)
	}, func(m Mem) VecVirtual {
		s, above, middle, code := YMM(), YMM(), YMM(), YMM()
		const greater = U8(14) // and not a NaN
		bit := func() {
			VCMPPS(greater, middle, s, above)
			VPADDD(code, code, code)
			VPSUBD(above, code, code)
		}
		VMULPS(m, inverse, s)
		VCMPPS(greater, first, s, above)
		VBLENDVPS(above, second[1], second[0], middle)
		VPXOR(code, code, code)
		VPSUBD(above, code, code)
		bit()
		VPERMILPS(code, third, middle)
		bit()
		VPERMPS(fourth, code, middle)
		bit()
		return code
	})
}

func e2m1() {
	simd.Func("e2m1LevelsAVX2", "func(levels []uint8, x, scales []float32, group int)",
		"e2m1LevelsAVX2 is e2m1LevelsGeneric for groups of a positive number of times 16, without NaNs.")
	magnitude, sign, zero := simd.Const32(YMM, 0x7fffffff), simd.Const32(YMM, 8), YMM()
	VPXOR(zero, zero, zero)
	half := constant("e2m1Half", 0.5)
	var factors []Mem
	var middles []VecVirtual
	for i, c := range []float32{0.5, 1.5, 2.5, 3.5, 5, 7, 10} {
		factors = append(factors, constant(fmt.Sprintf("e2m1Middle%d", i), c))
		middles = append(middles, YMM())
	}
	none := YMM()
	groups(func(scale Mem) {
		VBROADCASTSS(scale, none)
		VMULPS(half, none, none)
		for i, c := range factors {
			VMULPS(c, none, middles[i])
		}
		VBROADCASTSS(scale, none)
		VCMPPS(U8(0), zero, none, none) // whether all codes are zero
	}, func(m Mem) VecVirtual {
		v, above, code := YMM(), YMM(), YMM()
		VANDPS(m, magnitude, v)
		VPXOR(code, code, code)
		for _, c := range middles {
			VCMPPS(less, v, c, above) // c < v
			VPSUBD(above, code, code)
		}
		VPANDN(code, none, code)
		// Zeros get no sign.
		VMOVDQU(m, v)
		VPSRLD(U8(28), v, v)
		VPAND(sign, v, v)
		VPCMPEQD(zero, code, above)
		VPANDN(v, above, v)
		VPOR(v, code, code)
		return code
	})
}

func affine() {
	simd.Func("affineLevelsAVX2", "func(levels []uint8, x, scales, biases []float32, group int, high float32)",
		"affineLevelsAVX2 is affineLevelsGeneric for groups of a positive number of times 16.")
	biases := simd.Slice("biases", 4)
	high, zero, scale, bias := simd.Scalar32("high", YMM), YMM(), YMM(), YMM()
	VPXOR(zero, zero, zero)
	groups(func(m Mem) {
		VBROADCASTSS(m, scale)
		VBROADCASTSS(biases.At(0), bias)
		ADDQ(U8(4), biases.Base)
	}, func(m Mem) VecVirtual {
		v := YMM()
		VMOVUPS(m, v)
		VSUBPS(bias, v, v)
		VDIVPS(scale, v, v)
		VMAXPS(zero, v, v) // zero if v is NaN
		VMINPS(high, v, v)
		VCVTPS2DQ(v, v)
		return v
	})
}

func levels() {
	for _, c := range []struct {
		name, limits string
		signed       bool
	}{
		{"limitedLevelsAVX2", "low+offset at least 0 and high+offset at most 255", false},
		{"signedLevelsAVX2", "low+offset at least -128 and high+offset at most 127", true},
	} {
		simd.Func(c.name, "func(levels []uint8, x []float32, low, high, offset float32)",
			c.name+" is limitedLevelsGeneric for a positive number of times 16,", c.limits+".")
		low, high, offset := simd.Scalar32("low", YMM), simd.Scalar32("high", YMM), simd.Scalar32("offset", YMM)
		VCVTPS2DQ(offset, offset)
		bytes(c.signed, func(m Mem) VecVirtual {
			v := YMM()
			VMOVUPS(m, v)
			VMAXPS(low, v, v) // low if v is NaN
			VMINPS(high, v, v)
			VCVTPS2DQ(v, v)
			VPADDD(offset, v, v)
			return v
		})
	}
}

func divide() {
	simd.Func("divideAVX2", "func(dst, x []float32, s float32)", "divideAVX2 is divideGeneric for a positive number of times 8.")
	dst, x, n := simd.Slice("dst", 4), simd.Slice("x", 4), simd.Len("x")
	s, v := simd.Scalar32("s", YMM), YMM()
	Label("values")
	VMOVUPS(x.At(0), v)
	VDIVPS(s, v, v)
	VMOVUPS(v, dst.At(0))
	ADDQ(U8(32), x.Base)
	ADDQ(U8(32), dst.Base)
	SUBQ(U8(8), n)
	JNZ(LabelRef("values"))
	VZEROUPPER()
	RET()
}

func affineEnds() {
	simd.Func("affineEndsAVX2", "func(scales, biases []float32, top float32)",
		"affineEndsAVX2 is affineEndsGeneric for a positive number of times 8.")
	scales, biases, n := simd.Slice("scales", 4), simd.Slice("biases", 4), simd.Len("scales")
	top, magnitude, sign, zero := simd.Scalar32("top", YMM), simd.Const32(YMM, 0x7fffffff), simd.Const32(YMM, 1<<31), YMM()
	VPXOR(zero, zero, zero)
	least := constant("affineLeast", 1e-7)
	Label("groups")
	low, high, s, e, q, mask, v := YMM(), YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
	VMOVUPS(scales.At(0), low)
	VMOVUPS(biases.At(0), high)
	VSUBPS(low, high, s)
	VDIVPS(top, s, s)
	VMAXPS(least, s, s)
	VANDPS(magnitude, low, mask)
	VANDPS(magnitude, high, v)
	VCMPPS(less, mask, v, mask) // |high| < |low|
	VXORPS(sign, s, v)
	VBLENDVPS(mask, s, v, s)
	VBLENDVPS(mask, low, high, e)
	VDIVPS(s, e, q)
	VROUNDPS(U8(0), q, q) // to nearest even
	VCMPPS(U8(0), zero, q, mask)
	VDIVPS(q, e, v)
	VBLENDVPS(mask, s, v, s)
	VANDNPS(e, mask, e)
	VMOVUPS(s, scales.At(0))
	VMOVUPS(e, biases.At(0))
	ADDQ(U8(32), scales.Base)
	ADDQ(U8(32), biases.Base)
	SUBQ(U8(8), n)
	JNZ(LabelRef("groups"))
	VZEROUPPER()
	RET()
}

func nibbles() {
	simd.Func("joinNibblesAVX2", "func(dst []byte, levels []uint8, first, second uint8)",
		"joinNibblesAVX2 is joinNibblesGeneric for a positive number of times 64.")
	dst, levels, n := simd.Slice("dst", 1), simd.Slice("levels", 1), simd.Len("levels")
	first, second, factors := Load(Param("first"), GP32()), Load(Param("second"), GP32()), YMM()
	SHLL(U8(8), second)
	ORL(second, first)
	VMOVD(first, factors.AsX())
	VPBROADCASTW(factors.AsX(), factors)
	Label("levels")
	a, b := YMM(), YMM()
	VMOVDQU(levels.At(0), a)
	VMOVDQU(levels.At(32), b)
	VPMADDUBSW(factors, a, a)
	VPMADDUBSW(factors, b, b)
	VPACKUSWB(b, a, a)
	VPERMQ(U8(0b11_01_10_00), a, a)
	VMOVDQU(a, dst.At(0))
	ADDQ(U8(64), levels.Base)
	ADDQ(U8(32), dst.Base)
	SUBQ(U8(64), n)
	JNZ(LabelRef("levels"))
	VZEROUPPER()
	RET()
}
