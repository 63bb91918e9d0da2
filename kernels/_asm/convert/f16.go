package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"github.com/loratool/loratool/kernels/asm/simd"
)

func decodeF16AVX2() {
	simd.Func("decodeF16AVX2", decode, "decodeF16AVX2 is decodeF16Generic for len(dst) a multiple of 8.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 2), simd.Len("dst")
	simd.Blocks(n, 8, 4, []simd.Array{dst, src}, func(i int) {
		y := YMM()
		VCVTPH2PS(src.At(i), y)
		VMOVUPS(y, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func decodeF16AVX512() {
	simd.Func("decodeF16AVX512", decode, "decodeF16AVX512 is decodeF16Generic.")
	dst, src, n := simd.Slice("dst", 4), simd.Slice("src", 2), simd.Len("dst")
	simd.Masked(n, 16, 4, []simd.Array{dst, src}, func(i int, k Register) {
		z := ZMM()
		if k == nil {
			VCVTPH2PS(src.At(i), z)
		} else {
			VCVTPH2PS_Z(src.At(i), k, z)
		}
		simd.StoreMasked(z, k, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeF16AVX2() {
	simd.Func("encodeF16AVX2", encode, "encodeF16AVX2 is encodeF16Generic for len(src) a multiple of 8.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 4), simd.Len("src")
	simd.Blocks(n, 8, 4, []simd.Array{dst, src}, func(i int) {
		y := YMM()
		VMOVUPS(src.At(i), y)
		VCVTPS2PH(U8(0), y, dst.At(i))
	})
	VZEROUPPER()
	RET()
}

func encodeF16AVX512() {
	simd.Func("encodeF16AVX512", encode, "encodeF16AVX512 is encodeF16Generic.")
	dst, src, n := simd.Slice("dst", 2), simd.Slice("src", 4), simd.Len("src")
	simd.Masked(n, 16, 4, []simd.Array{dst, src}, func(i int, k Register) {
		z := simd.LoadMasked(src.At(i), k, ZMM())
		if k == nil {
			VCVTPS2PH(U8(0), z, dst.At(i))
		} else {
			VCVTPS2PH(U8(0), z, k, dst.At(i))
		}
	})
	VZEROUPPER()
	RET()
}
