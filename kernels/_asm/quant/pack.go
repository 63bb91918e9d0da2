package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// The bit planes of blocks, 32 bytes at a time. Shifts are of 16 bits: what comes over
// from the neighboring byte is masked off.

func allBytes(b uint32) VecVirtual { return avx2.bits(0x01010101 * b) }

func loadBytes(m Mem) VecVirtual { return avx2.op1(func(ops ...Op) { VMOVDQU(ops[0], ops[1]) }, m) }

func and(x VecVirtual, y Op) VecVirtual {
	r := YMM()
	VPAND(y, x, r)
	return r
}

func right(x VecVirtual, n Op) VecVirtual {
	r := YMM()
	VPSRLW(n, x, r)
	return r
}

func left(x VecVirtual, n Op) VecVirtual {
	r := YMM()
	VPSLLW(n, x, r)
	return r
}

// count returns the int parameter as an amount to shift by.
func count(param string) VecVirtual {
	x := XMM()
	VMOVQ(Load(Param(param), GP64()), x)
	return x
}

// groups emits a loop over groups of levels.
func groups(levels simd.Array, packed simd.Array, size, packedSize int, body func()) {
	n := simd.Len("levels")
	Label("group")
	body()
	ADDQ(U32(size), levels.Base)
	ADDQ(U32(packedSize), packed.Base)
	SUBQ(U32(size), n)
	JA(LabelRef("group"))
	VZEROUPPER()
	RET()
}

const packSignature = "func(dst []byte, levels []uint8"
const unpackSignature = "func(levels []uint8, src []byte"

// nibbles packs or unpacks groups of 2·half levels, half being 16, 32 or 64.
func nibbles(half int) {
	name := fmt.Sprint("Nibbles", half)
	simd.Func("pack"+name+"AVX2", packSignature+")", "pack"+name+"AVX2 is packNibblesGeneric for one group or more.")
	dst, levels := simd.Slice("dst", 1), simd.Slice("levels", 1)
	low := allBytes(15)
	groups(levels, dst, 2*half, half, func() {
		for i := 0; i < half && half > 16; i += 32 {
			high := left(and(loadBytes(levels.At(half+i)), low), U8(4))
			VMOVDQU(avx2.orInts(and(loadBytes(levels.At(i)), low), high), dst.At(i))
		}
		if half > 16 {
			return
		}
		both, high := and(loadBytes(levels.At(0)), low), XMM()
		VEXTRACTI128(U8(1), both, high)
		VPSLLW(U8(4), high, high)
		VPOR(both.AsX(), high, high)
		VMOVDQU(high, dst.At(0))
	})

	simd.Func("unpack"+name+"AVX2", unpackSignature+")", "unpack"+name+"AVX2 is unpackNibblesGeneric for one group or more.")
	levels, src := simd.Slice("levels", 1), simd.Slice("src", 1)
	low = allBytes(15)
	groups(levels, src, 2*half, half, func() {
		for i := 0; i < half && half > 16; i += 32 {
			v := loadBytes(src.At(i))
			VMOVDQU(and(v, low), levels.At(i))
			VMOVDQU(and(right(v, U8(4)), low), levels.At(half+i))
		}
		if half > 16 {
			return
		}
		x, high, both := XMM(), XMM(), YMM()
		VMOVDQU(src.At(0), x)
		VPSRLW(U8(4), x, high)
		VINSERTI128(U8(1), high, x.AsY(), both)
		VMOVDQU(and(both, low), levels.At(0))
	})
}

// pairs packs or unpacks two bits of groups of 128.
func pairs() {
	simd.Func("packPairsAVX2", packSignature+", shift int)", "packPairsAVX2 is packPairsGeneric for one group or more.")
	dst, levels, shift, three := simd.Slice("dst", 1), simd.Slice("levels", 1), count("shift"), allBytes(3)
	groups(levels, dst, 128, 32, func() {
		v := and(right(loadBytes(levels.At(0)), shift), three)
		for j := 1; j < 4; j++ {
			v = avx2.orInts(v, left(and(right(loadBytes(levels.At(32*j)), shift), three), U8(2*j)))
		}
		VMOVDQU(v, dst.At(0))
	})

	simd.Func("unpackPairsAVX2", unpackSignature+", shift int)", "unpackPairsAVX2 is unpackPairsGeneric for one group or more.")
	levels, src := simd.Slice("levels", 1), simd.Slice("src", 1)
	shift, three = count("shift"), allBytes(3)
	groups(levels, src, 128, 32, func() {
		v := loadBytes(src.At(0))
		for j := range 4 {
			bits := left(and(right(v, U8(2*j)), three), shift)
			VPOR(levels.At(32*j), bits, bits)
			VMOVDQU(bits, levels.At(32*j))
		}
	})
}

// bitPlane packs or unpacks one bit of groups of 256.
func bitPlane() {
	simd.Func("packBitsAVX2", packSignature+", bit int)", "packBitsAVX2 is packBitsGeneric.")
	dst, levels, bit, one := simd.Slice("dst", 1), simd.Slice("levels", 1), count("bit"), allBytes(1)
	groups(levels, dst, 256, 32, func() {
		v := and(right(loadBytes(levels.At(0)), bit), one)
		for j := 1; j < 8; j++ {
			v = avx2.orInts(v, left(and(right(loadBytes(levels.At(32*j)), bit), one), U8(j)))
		}
		VMOVDQU(v, dst.At(0))
	})

	simd.Func("unpackBitsAVX2", unpackSignature+", bit int)", "unpackBitsAVX2 is unpackBitsGeneric.")
	levels, src := simd.Slice("levels", 1), simd.Slice("src", 1)
	bit, one = count("bit"), allBytes(1)
	groups(levels, src, 256, 32, func() {
		v := loadBytes(src.At(0))
		for j := range 8 {
			bits := left(and(right(v, U8(j)), one), bit)
			VPOR(levels.At(32*j), bits, bits)
			VMOVDQU(bits, levels.At(32*j))
		}
	})
}

// subtractLevels subtracts a number from bytes.
func subtractLevels() {
	simd.Func("subtractLevelsAVX2", "func(levels []uint8, n byte)", "subtractLevelsAVX2 is subtractLevelsGeneric for 32 levels or a multiple.")
	levels, left := simd.Slice("levels", 1), simd.Len("levels")
	n, v := XMM(), YMM()
	VMOVD(Load(Param("n"), GP32()), n)
	VPBROADCASTB(n, v)
	Label("block")
	x := loadBytes(levels.At(0))
	VPSUBB(v, x, x)
	VMOVDQU(x, levels.At(0))
	ADDQ(U32(32), levels.Base)
	SUBQ(U32(32), left)
	JA(LabelRef("block"))
	VZEROUPPER()
	RET()
}
