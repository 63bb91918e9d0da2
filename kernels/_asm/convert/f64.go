package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func f64ToF32AVX2() {
	simd.Func("f64ToF32AVX2", convert, "f64ToF32AVX2 is f64ToF32Generic for len(dst) a multiple of 16.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 8), simd.Len("dst")
	SHRQ(U8(2), n)
	simd.Blocks(n, 4, 4, []simd.Array{dst, src}, func(i int) {
		x := XMM()
		VCVTPD2PSY(src.At(i), x)
		VMOVUPS(x, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func f64ToF32AVX512() {
	simd.Func("f64ToF32AVX512", convert, "f64ToF32AVX512 is f64ToF32Generic.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 8), simd.Len("dst")
	SHRQ(U8(2), n)
	simd.Masked(n, 8, 4, []simd.Array{dst, src}, func(i int, k Register) {
		y := YMM()
		if k == nil {
			VCVTPD2PS(src.At(i), y)
		} else {
			VCVTPD2PS_Z(src.At(i), k, y)
		}
		simd.StoreMasked(y, k, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeF64AVX2() {
	simd.Func("encodeF64AVX2", encode, "encodeF64AVX2 is encodeF64Generic for len(src) a multiple of 4.")
	dst, src, n := simd.Slice("dst", 8), simd.Slice("src", 4), simd.Len("src")
	simd.Blocks(n, 4, 4, []simd.Array{dst, src}, func(i int) {
		y := YMM()
		VCVTPS2PD(src.At(i), y)
		VMOVUPD(y, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeF64AVX512() {
	simd.Func("encodeF64AVX512", encode, "encodeF64AVX512 is encodeF64Generic.")
	dst, src, n := simd.Slice("dst", 8), simd.Slice("src", 4), simd.Len("src")
	simd.Masked(n, 8, 4, []simd.Array{dst, src}, func(i int, k Register) {
		z := ZMM()
		if k == nil {
			VCVTPS2PD(src.At(i), z)
			VMOVUPD(z, dst.At(i))
		} else {
			VCVTPS2PD_Z(src.At(i), k, z)
			VMOVUPD(z, k, dst.At(i))
		}
	})
	VZEROUPPER()
	RET()
}

func f64ToF16AVX2() {
	simd.Func("f64ToF16AVX2", convert, "f64ToF16AVX2 is f64ToF16Generic for len(dst) a multiple of 16.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 8), simd.Len("dst")
	SHRQ(U8(1), n)
	odd := newOddRounder(YMM)
	simd.Blocks(n, 8, 1, []simd.Array{dst, src}, func(i int) {
		y := odd.ymm(src.At(i), src.At(i+4))
		VCVTPS2PH(U8(0), y, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func f64ToBF16AVX2() {
	simd.Func("f64ToBF16AVX2", convert, "f64ToBF16AVX2 is f64ToBF16Generic for len(dst) a multiple of 16.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 8), simd.Len("dst")
	SHRQ(U8(1), n)
	odd, round := newOddRounder(YMM), newBF16Rounder(YMM)
	simd.Blocks(n, 8, 1, []simd.Array{dst, src}, func(i int) {
		y := odd.ymm(src.At(i), src.At(i+4))
		round.ymm(y)
		hi := XMM()
		VEXTRACTI128(U8(1), y, hi)
		VPACKUSDW(hi, y.AsX(), hi)
		VMOVUPS(hi, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func f64ToF16AVX512() {
	simd.Func("f64ToF16AVX512", convert, "f64ToF16AVX512 is f64ToF16Generic.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 8), simd.Len("dst")
	SHRQ(U8(1), n)
	odd := newOddRounder(YMM)
	simd.Masked(n, 8, 2, []simd.Array{dst, src}, func(i int, k Register) {
		y := odd.zmm(src.At(i), k)
		if k == nil {
			VCVTPS2PH(U8(0), y, dst.At(i))
		} else {
			VCVTPS2PH(U8(0), y, k, dst.At(i))
		}
	})
	VZEROUPPER()
	RET()
}

func f64ToBF16AVX512() {
	simd.Func("f64ToBF16AVX512", convert, "f64ToBF16AVX512 is f64ToBF16Generic.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 8), simd.Len("dst")
	SHRQ(U8(1), n)
	odd, round := newOddRounder(YMM), newBF16Rounder(YMM)
	simd.Masked(n, 8, 2, []simd.Array{dst, src}, func(i int, k Register) {
		y := odd.zmm(src.At(i), k)
		round.ymm(y)
		if k == nil {
			VPMOVDW(y, dst.At(i))
		} else {
			VPMOVDW(y, k, dst.At(i))
		}
	})
	VZEROUPPER()
	RET()
}

// An oddRounder has the constants of oddF32 in registers.
type oddRounder struct{ one, abs VecVirtual }

func newOddRounder(kind func() VecVirtual) oddRounder {
	return oddRounder{simd.Const32(kind, 1), simd.Const64(kind, 1<<63-1)}
}

// ymm rounds 4 float64 at lo and 4 at hi to 8 float32, to odd: truncated, with the
// last bit set if that was not exact.
func (r oddRounder) ymm(lo, hi Mem) VecVirtual {
	type half struct{ x, f, inexact, beyond VecVirtual }
	var halves []half
	for _, m := range []Mem{lo, hi} {
		h := half{YMM(), XMM(), YMM(), YMM()}
		back := YMM()
		VMOVUPS(m, h.x)
		VCVTPD2PSY(h.x, h.f)
		VCVTPS2PD(h.f, back)
		VCMPPD(U8(0x0c), h.x, back, h.inexact) // not equal, false for NaN
		VANDPD(r.abs, back, back)
		VANDPD(r.abs, h.x, h.x)
		VCMPPD(U8(0x1e), h.x, back, h.beyond) // |back| > |x|: it was rounded up
		halves = append(halves, h)
	}
	f, inexact, beyond := joined(halves[0].f, halves[1].f), YMM(), YMM()
	Comment("one bit of each 64-bit mask: shuffled within 128-bit lanes, then put in order")
	VSHUFPS(U8(0b10_00_10_00), halves[1].inexact, halves[0].inexact, inexact)
	VSHUFPS(U8(0b10_00_10_00), halves[1].beyond, halves[0].beyond, beyond)
	VPERMQ(U8(0b11_01_10_00), inexact, inexact)
	VPERMQ(U8(0b11_01_10_00), beyond, beyond)
	VPADDD(beyond, f, f)
	VPAND(r.one, inexact, inexact)
	VPOR(inexact, f, f)
	return f
}

func joined(lo, hi VecVirtual) VecVirtual {
	y := YMM()
	VINSERTF128(U8(1), hi, lo.AsY(), y)
	return y
}

// zmm rounds up to 8 float64 to float32, to odd.
func (r oddRounder) zmm(m Mem, k Register) VecVirtual {
	x, back, y, inexact := ZMM(), ZMM(), YMM(), K()
	if k == nil {
		VMOVUPD(m, x)
	} else {
		VMOVUPD_Z(m, k, x)
	}
	VCVTPD2PS_RZ_SAE(x, y)
	VCVTPS2PD(y, back)
	VCMPPD(U8(0x0c), x, back, inexact)
	VPORD(r.one, y, inexact, y)
	return y
}
