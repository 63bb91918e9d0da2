package main

import (
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// The AVX-512 versions take 16 values at a time, and look midpoints up in registers by an
// index that each lane has of its own.

// load16 returns 16 lanes; of fewer numbers, they are repeated.
func load16(name string, x ...float32) VecVirtual {
	v := ZMM()
	VMOVUPS(table(name, slices.Repeat(x, 16/len(x))...), v)
	return v
}

// groups16 is groups for level functions of 16 values.
func groups16(begin func(scale Mem), level func(m Mem) VecVirtual) {
	dst, x := simd.Slice("levels", 1), simd.Slice("x", 4)
	scales, n := simd.Slice("scales", 4), simd.Len("scales")
	group, left := Load(Param("group"), GP64()), GP64()
	Label("groups")
	begin(scales.At(0))
	MOVQ(group, left)
	Label("values")
	VPMOVDB(level(x.At(0)), dst.At(0))
	ADDQ(U8(64), x.Base)
	ADDQ(U8(16), dst.Base)
	SUBQ(U8(16), left)
	JNZ(LabelRef("values"))
	ADDQ(U8(4), scales.Base)
	DECQ(n)
	JNZ(LabelRef("groups"))
	VZEROUPPER()
	RET()
}

// nf4Cells is into how many cells nf4AVX512 divides [-1, 1]: enough that none has two
// midpoints, and few enough for the lanes of two registers.
const nf4Cells = 32

// nf4Cell returns the cell of a midpoint. None is near the end of a cell, so that roundings
// do not matter.
func nf4Cell(s float32) int { return int(s*(nf4Cells/2) + nf4Cells/2) }

// nf4AVX512 finds codes by cells, as the generic code does: the number of midpoints in the
// cells before, and one more if the value is above the one that is in its cell.
func nf4AVX512() {
	simd.Func("nf4LevelsAVX512", "func(levels []uint8, x, scales []float32, group int)",
		"nf4LevelsAVX512 is nf4LevelsGeneric for groups of a positive number of times 16.")
	const beyond = 2 // no value is above it
	below, inside := make([]uint32, nf4Cells), slices.Repeat([]float32{beyond}, nf4Cells)
	for i := range 15 {
		m := (values[i] + values[i+1]) / 2
		cell := nf4Cell(m)
		inside[cell] = m
		for j := cell + 1; j < nf4Cells; j++ {
			below[j]++
		}
	}
	var codes []float32
	for _, n := range below {
		codes = append(codes, math.Float32frombits(n))
	}
	codesLow, codesHigh := load16("nf4Below", codes[:16]...), load16("nf4BelowHigh", codes[16:]...)
	insideLow, insideHigh := load16("nf4Inside", inside[:16]...), load16("nf4InsideHigh", inside[16:]...)
	// Values beyond the outermost midpoints may all be the same one.
	low, high, half := load16("nf4Low", -0.99), load16("nf4High", 0.99), load16("nf4Half", nf4Cells/2)
	one := simd.Const32(ZMM, 1)
	unit, least, inverse := load(constant("nf4One16", 1)), load(constant("nf4Least16", 1e-38)), ZMM()
	groups16(func(scale Mem) {
		x := inverse.AsX()
		VMOVSS(scale, x)
		VMAXSS(least.AsX(), x, x)
		VDIVSS(x, unit.AsX(), x)
		VBROADCASTSS(x, inverse)
	}, func(m Mem) VecVirtual {
		s, cell, middle, above := ZMM(), ZMM(), ZMM(), K()
		VMULPS(m, inverse, s)
		VMAXPS(low, s, s)
		VMINPS(high, s, s)
		VMOVAPS(s, cell)
		VFMADD213PS(half, half, cell)
		VCVTTPS2DQ(cell, cell)
		VMOVDQA32(cell, middle)
		VPERMI2PS(insideHigh, insideLow, middle)
		VPERMI2D(codesHigh, codesLow, cell)
		VCMPPS(U8(14), middle, s, above)
		VPADDD(one, cell, above, cell)
		return cell
	})
}

// tree returns sorted midpoints, one less than a power of two, in the order of a tree:
// node i has the nodes 2i and 2i+1 below it. The rest of 16 lanes are zeros.
func tree(middles []float32) []float32 {
	out := make([]float32, 16)
	for width, node := len(middles)+1, 1; width > 1; width /= 2 {
		for i := width/2 - 1; i < len(middles); i += width {
			out[node] = middles[i]
			node++
		}
	}
	return out
}

// bisect returns how many midpoints of a tree of 2^steps−1 are below v, plus 2^steps: node
// begins as 1, the root, and becomes 2·node, plus 1 if v is above the midpoint there.
func bisect(v, tree VecVirtual, root, one, two VecVirtual, steps int) VecVirtual {
	const greater = U8(14) // and not a NaN
	node, middle, above := ZMM(), ZMM(), K()
	VCMPPS(greater, root, v, above)
	VMOVDQA32(two, node)
	VPADDD(one, node, above, node)
	for range steps - 1 {
		VPERMPS(tree, node, middle)
		VCMPPS(greater, middle, v, above)
		VPADDD(node, node, node)
		VPADDD(one, node, above, node)
	}
	return node
}

func e2m1AVX512() {
	simd.Func("e2m1LevelsAVX512", "func(levels []uint8, x, scales []float32, group int)",
		"e2m1LevelsAVX512 is e2m1LevelsGeneric for groups of a positive number of times 16, without NaNs.")
	all := load16("e2m1Tree", tree([]float32{0.5, 1.5, 2.5, 3.5, 5, 7, 10})...)
	half, infinite := load16("e2m1Half16", 0.5), simd.Const32(ZMM, 0x7f800000)
	one, two, leaves := simd.Const32(ZMM, 1), simd.Const32(ZMM, 2), simd.Const32(ZMM, 8)
	magnitude, zero := simd.Const32(ZMM, 0x7fffffff), ZMM()
	VPXORD(zero, zero, zero)
	nodes, root, scale := ZMM(), ZMM(), ZMM()
	groups16(func(m Mem) {
		none := K()
		VBROADCASTSS(m, scale)
		VCMPPS(U8(0), zero, scale, none)
		VMULPS(half, scale, scale)
		VMULPS(all, scale, nodes)
		VMOVAPS(infinite, none, nodes) // which no value is above
		VPERMPS(nodes, one, root)
	}, func(m Mem) VecVirtual {
		v, negative := ZMM(), K()
		VMOVUPS(m, v)
		VPMOVD2M(v, negative)
		VPANDD(magnitude, v, v)
		code := bisect(v, nodes, root, one, two, 3)
		VPSUBD(leaves, code, code)
		VPTESTMD(code, code, negative, negative) // zeros get no sign
		VPORD(leaves, code, negative, code)
		return code
	})
}

func affineAVX512() {
	simd.Func("affineLevelsAVX512", "func(levels []uint8, x, scales, biases []float32, group int, high float32)",
		"affineLevelsAVX512 is affineLevelsGeneric for groups of a positive number of times 16.")
	biases := simd.Slice("biases", 4)
	high, zero, scale, bias := simd.Scalar32("high", ZMM), ZMM(), ZMM(), ZMM()
	VPXORD(zero, zero, zero)
	groups16(func(m Mem) {
		VBROADCASTSS(m, scale)
		VBROADCASTSS(biases.At(0), bias)
		ADDQ(U8(4), biases.Base)
	}, func(m Mem) VecVirtual {
		v := ZMM()
		VMOVUPS(m, v)
		VSUBPS(bias, v, v)
		VDIVPS(scale, v, v)
		VMAXPS(zero, v, v) // zero if v is NaN
		VMINPS(high, v, v)
		VCVTPS2DQ(v, v)
		return v
	})
}

func levelsAVX512() {
	simd.Func("limitedLevelsAVX512", "func(levels []uint8, x []float32, low, high, offset float32)",
		"limitedLevelsAVX512 is limitedLevelsGeneric for a positive number of times 16.")
	low, high, offset := simd.Scalar32("low", ZMM), simd.Scalar32("high", ZMM), simd.Scalar32("offset", ZMM)
	VCVTPS2DQ(offset, offset)
	dst, x, n := simd.Slice("levels", 1), simd.Slice("x", 4), simd.Len("levels")
	Label("values")
	v := ZMM()
	VMOVUPS(x.At(0), v)
	VMAXPS(low, v, v) // low if v is NaN
	VMINPS(high, v, v)
	VCVTPS2DQ(v, v)
	VPADDD(offset, v, v)
	VPMOVDB(v, dst.At(0))
	ADDQ(U8(64), x.Base)
	ADDQ(U8(16), dst.Base)
	SUBQ(U8(16), n)
	JNZ(LabelRef("values"))
	VZEROUPPER()
	RET()
}
