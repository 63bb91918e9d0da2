package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func decodeBF16AVX2() {
	simd.Func("decodeBF16AVX2", decode, "decodeBF16AVX2 is decodeBF16Generic for len(dst) a multiple of 8.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 2), simd.Len("dst")
	simd.Blocks(n, 8, 4, []simd.Array{dst, src}, func(i int) {
		y := YMM()
		VPMOVZXWD(src.At(i), y)
		VPSLLD(U8(16), y, y)
		VMOVUPS(y, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func decodeBF16AVX512() {
	simd.Func("decodeBF16AVX512", decode, "decodeBF16AVX512 is decodeBF16Generic.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 2), simd.Len("dst")
	simd.Masked(n, 16, 4, []simd.Array{dst, src}, func(i int, k Register) {
		z := ZMM()
		if k == nil {
			VPMOVZXWD(src.At(i), z)
		} else {
			VPMOVZXWD_Z(src.At(i), k, z)
		}
		VPSLLD(U8(16), z, z)
		simd.StoreMasked(z, k, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeBF16AVX2() {
	simd.Func("encodeBF16AVX2", encode, "encodeBF16AVX2 is encodeBF16Generic for len(src) a multiple of 16.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 4), simd.Len("src")
	round := newBF16Rounder(YMM)
	simd.Blocks(n, 16, 2, []simd.Array{dst, src}, func(i int) {
		lo, hi := YMM(), YMM()
		VMOVUPS(src.At(i), lo)
		VMOVUPS(src.At(i+8), hi)
		round.ymm(lo)
		round.ymm(hi)
		Comment("packs within 128-bit lanes, so that quarters 1 and 2 have to change places")
		VPACKUSDW(hi, lo, lo)
		VPERMQ(U8(0b11_01_10_00), lo, lo)
		VMOVUPS(lo, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeBF16AVX512() {
	simd.Func("encodeBF16AVX512", encode, "encodeBF16AVX512 is encodeBF16Generic.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 4), simd.Len("src")
	round := newBF16Rounder(ZMM)
	simd.Masked(n, 16, 4, []simd.Array{dst, src}, func(i int, k Register) {
		z := simd.LoadMasked(src.At(i), k, ZMM())
		round.zmm(z)
		if k == nil {
			VPMOVDW(z, dst.At(i))
		} else {
			VPMOVDW(z, k, dst.At(i))
		}
	})
	VZEROUPPER()
	RET()
}

// A bf16Rounder has the constants of roundBF16 in registers.
type bf16Rounder struct{ one, half, quiet VecVirtual }

func newBF16Rounder(kind func() VecVirtual) bf16Rounder {
	return bf16Rounder{simd.Const32(kind, 1), simd.Const32(kind, 0x7fff), simd.Const32(kind, f32Quiet)}
}

// ymm rounds the float32 in y to bfloat16 in the low halves of the lanes.
func (r bf16Rounder) ymm(y VecVirtual) {
	nan, quiet, lsb := YMM(), YMM(), YMM()
	VCMPPS(U8(3), y, y, nan)
	VPOR(r.quiet, y, quiet)
	VPSRLD(U8(16), y, lsb)
	VPAND(r.one, lsb, lsb)
	VPADDD(r.half, y, y)
	VPADDD(lsb, y, y)
	VBLENDVPS(nan, quiet, y, y)
	VPSRLD(U8(16), y, y)
}

func (r bf16Rounder) zmm(z VecVirtual) {
	nan, lsb, sum := K(), ZMM(), ZMM()
	VCMPPS(U8(3), z, z, nan)
	VPSRLD(U8(16), z, lsb)
	VPANDD(r.one, lsb, lsb)
	VPADDD(r.half, z, sum)
	VPADDD(lsb, sum, sum)
	VPORD(r.quiet, z, nan, sum)
	VPSRLD(U8(16), sum, z)
}
