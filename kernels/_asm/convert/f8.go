package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

// F8_E4M3 is decoded by way of F16: with the exponent and mantissa in their places
// there it is 2⁸ too small, subnormal or not, and its NaN looks like ±480.

// f8Decoder has the constants for that.
type f8Decoder struct{ sign, abs, scale, nanLooks, f32Abs, nan VecVirtual }

func newF8Decoder(kind func() VecVirtual) f8Decoder {
	return f8Decoder{
		simd.Const16(YMM, 0x8000), simd.Const16(YMM, 0x3f80), simd.Const32(kind, math.Float32bits(256)),
		simd.Const32(kind, math.Float32bits(480)), simd.Const32(kind, f32Abs), simd.Const32(kind, f32NaN),
	}
}

// f16 turns 16 codes, one in each 16-bit lane, into F16.
func (d f8Decoder) f16(w VecVirtual) {
	abs := YMM()
	VPSLLW(U8(7), w, abs)
	VPAND(d.abs, abs, abs)
	VPSLLW(U8(8), w, w)
	VPAND(d.sign, w, w)
	VPOR(abs, w, w)
}

func decodeF8E4M3AVX2() {
	simd.Func("decodeF8E4M3AVX2", decode, "decodeF8E4M3AVX2 is decodeF8E4M3Generic for len(dst) a multiple of 16.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 1), simd.Len("dst")
	d := newF8Decoder(YMM)
	simd.Blocks(n, 16, 2, []simd.Array{dst, src}, func(i int) {
		w, hi := YMM(), XMM()
		VPMOVZXBW(src.At(i), w)
		d.f16(w)
		VEXTRACTI128(U8(1), w, hi)
		for j, half := range []VecVirtual{w.AsX().(VecVirtual), hi} {
			y, nan := YMM(), YMM()
			VCVTPH2PS(half, y)
			VMULPS(d.scale, y, y)
			VPAND(d.f32Abs, y, nan)
			VPCMPEQD(d.nanLooks, nan, nan)
			VPAND(d.nan, nan, nan)
			VPOR(nan, y, y)
			VMOVUPS(y, dst.At(i+8*j))
		}
	})
	VZEROUPPER()
	RET()
}

func decodeF8E4M3AVX512() {
	simd.Func("decodeF8E4M3AVX512", decode, "decodeF8E4M3AVX512 is decodeF8E4M3Generic.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 1), simd.Len("dst")
	d := newF8Decoder(ZMM)
	simd.Masked(n, 16, 2, []simd.Array{dst, src}, func(i int, k Register) {
		w, z, abs, nan := YMM(), ZMM(), ZMM(), K()
		if k == nil {
			VPMOVZXBW(src.At(i), w)
		} else {
			VPMOVZXBW_Z(src.At(i), k, w)
		}
		d.f16(w)
		VCVTPH2PS(w, z)
		VMULPS(d.scale, z, z)
		VPANDD(d.f32Abs, z, abs)
		VPCMPEQD(d.nanLooks, abs, nan)
		VPORD(d.nan, z, nan, z)
		simd.StoreMasked(z, k, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

// f8Encoder has the constants of minifloat.round for F8_E4M3. Clamping to ±448
// first is the same as saturating after rounding.
type f8Encoder struct{ abs, max, inf, smallest, magic, rebias, one, sign, nan VecVirtual }

func newF8Encoder(kind func() VecVirtual) f8Encoder {
	const (
		bias  = 7
		drop  = 20 // mantissa bits
		magic = (128 - bias + drop) << 23
		// From the exponent's bias of float32, and half of the last place, less one.
		rebias = (127-bias)<<23 - (1<<(drop-1) - 1)
	)
	return f8Encoder{
		simd.Const32(kind, f32Abs), simd.Const32(kind, math.Float32bits(448)), simd.Const32(kind, f32Inf),
		simd.Const32(kind, (128-bias)<<23), simd.Const32(kind, magic), simd.Const32(kind, rebias),
		simd.Const32(kind, 1), simd.Const32(kind, 0x80), simd.Const32(kind, 0x7f),
	}
}

// ymm rounds the float32 in y to codes in the low bytes of the lanes.
func (e f8Encoder) ymm(y VecVirtual) VecVirtual {
	abs, nan, small, tiny, code, lsb, sign := YMM(), YMM(), YMM(), YMM(), YMM(), YMM(), YMM()
	VPAND(e.abs, y, abs)
	VPCMPGTD(e.inf, abs, nan)
	VPSRLD(U8(24), y, sign)
	VPAND(e.sign, sign, sign)
	VPMINUD(e.max, abs, abs)
	VPCMPGTD(abs, e.smallest, small)
	VADDPS(e.magic, abs, tiny)
	VPSUBD(e.magic, tiny, tiny)
	VPSRLD(U8(20), abs, lsb)
	VPAND(e.one, lsb, lsb)
	VPSUBD(e.rebias, abs, code)
	VPADDD(lsb, code, code)
	VPSRLD(U8(20), code, code)
	VBLENDVPS(small, tiny, code, code)
	VBLENDVPS(nan, e.nan, code, code)
	VPOR(sign, code, code)
	return code
}

func (e f8Encoder) zmm(z VecVirtual) VecVirtual {
	abs, nan, small, code, lsb, sign := ZMM(), K(), K(), ZMM(), ZMM(), ZMM()
	VPANDD(e.abs, z, abs)
	VPCMPGTD(e.inf, abs, nan)
	VPSRLD(U8(24), z, sign)
	VPANDD(e.sign, sign, sign)
	VPMINUD(e.max, abs, abs)
	VPCMPGTD(abs, e.smallest, small)
	VPSRLD(U8(20), abs, lsb)
	VPANDD(e.one, lsb, lsb)
	VPSUBD(e.rebias, abs, code)
	VPADDD(lsb, code, code)
	VPSRLD(U8(20), code, code)
	VADDPS(e.magic, abs, abs)
	VPSUBD(e.magic, abs, small, code)
	VMOVDQA32(e.nan, nan, code)
	VPORD(sign, code, code)
	return code
}

func encodeF8E4M3AVX2() {
	simd.Func("encodeF8E4M3AVX2", encode, "encodeF8E4M3AVX2 is encodeF8E4M3Generic for len(src) a multiple of 16.")
	dst, src, n := simd.Slice("dst", 1), simd.Slice("src", 4), simd.Len("src")
	e := newF8Encoder(YMM)
	simd.Blocks(n, 16, 1, []simd.Array{dst, src}, func(i int) {
		lo, hi, x := YMM(), YMM(), XMM()
		VMOVUPS(src.At(i), lo)
		VMOVUPS(src.At(i+8), hi)
		lo, hi = e.ymm(lo), e.ymm(hi)
		VPACKUSDW(hi, lo, lo)
		VPERMQ(U8(0b11_01_10_00), lo, lo)
		VEXTRACTI128(U8(1), lo, x)
		VPACKUSWB(x, lo.AsX(), x)
		VMOVUPS(x, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeF8E4M3AVX512() {
	simd.Func("encodeF8E4M3AVX512", encode, "encodeF8E4M3AVX512 is encodeF8E4M3Generic.")
	dst, src, n := simd.Slice("dst", 1), simd.Slice("src", 4), simd.Len("src")
	e := newF8Encoder(ZMM)
	simd.Masked(n, 16, 2, []simd.Array{dst, src}, func(i int, k Register) {
		code := e.zmm(simd.LoadMasked(src.At(i), k, ZMM()))
		if k == nil {
			VPMOVDB(code, dst.At(i))
		} else {
			VPMOVDB(code, k, dst.At(i))
		}
	})
	VZEROUPPER()
	RET()
}
