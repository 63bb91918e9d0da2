// Command fp4 generates the quantizers of the 4-bit float formats.
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
	peaks(16)
	peaks(32)
	encode(mxfp4)
	encode(nvfp4)
	Generate()
}

// peaks generates the greatest magnitudes of groups.
func peaks(group int) {
	name := fmt.Sprintf("peaks%dAVX2", group)
	simd.Func(name, "func(peaks, x []float32)",
		fmt.Sprintf("%s sets peaks[i] to absPeak of the i-th %d values, for all of peaks.", name, group))
	out, x, n := simd.Slice("peaks", 4), simd.Slice("x", 4), simd.Len("peaks")
	magnitude := simd.Const32(YMM, 0x7fffffff)
	Label("groups")
	peak, v := YMM(), YMM()
	VPXOR(peak, peak, peak)
	for i := 0; i < group; i += 8 {
		VANDPS(x.At(i), magnitude, v)
		VMAXPS(peak, v, peak) // peak if v is NaN
	}
	half := XMM()
	VEXTRACTF128(U8(1), peak, half)
	VMAXPS(half, peak.AsX(), half)
	for _, shuffle := range []uint8{0b01_00_11_10, 0b10_11_00_01} {
		VPERMILPS(U8(shuffle), half, v.AsX())
		VMAXPS(v.AsX(), half, half)
	}
	VMOVSS(half, out.At(0))
	ADDQ(U32(4*group), x.Base)
	ADDQ(U8(4), out.Base)
	DECQ(n)
	JNZ(LabelRef("groups"))
	VZEROUPPER()
	RET()
}

// A format is how the groups of a block lie in it.
type format struct {
	name         string
	group, size  int // values with one scale, bytes of a block
	groups, head int // in a block, bytes before the codes
}

var (
	mxfp4 = format{"MXFP4", 32, 17, 1, 1}
	nvfp4 = format{"NVFP4", 16, 36, 4, 4}
)

// encode generates encodeE2M1 for many blocks. The code of a magnitude is the number of
// midpoints below it.
func encode(f format) {
	name := "encode" + f.name + "AVX2"
	simd.Func(name, "func(dst []byte, x, half []float32)",
		fmt.Sprintf("%s is encodeE2M1 for the blocks of dst but for their scales. half has the half scales of", name),
		fmt.Sprintf("groups of %d values; each must be at least 2^-20 of the group's greatest magnitude.", f.group))
	dst, x, half := simd.Slice("dst", 1), simd.Slice("x", 4), simd.Slice("half", 4)
	end := simd.Len("dst")
	ADDQ(dst.Base, end)
	magnitude, zero := simd.Const32(YMM, 0x7fffffff), YMM()
	VPXOR(zero, zero, zero)
	sign := simd.Const32(YMM, 8)

	Label("blocks")
	for g := range f.groups {
		scale := YMM()
		VBROADCASTSS(half.At(g), scale)
		var middles []VecVirtual
		for _, m := range []float32{0.5, 1.5, 2.5, 3.5, 5, 7, 10} {
			v := YMM()
			VMULPS(middle(m), scale, v)
			middles = append(middles, v)
		}
		codes := make([]VecVirtual, f.group/8)
		for i := range codes {
			v, above := YMM(), YMM()
			codes[i] = YMM()
			VANDPS(x.At(f.group*g+8*i), magnitude, v)
			VCMPPS(U8(1), v, middles[0], codes[i])
			for _, m := range middles[1:] {
				VCMPPS(U8(1), v, m, above)
				VPADDD(above, codes[i], codes[i])
			}
			// The number is negative so far. Zeros get no sign.
			VMOVDQU(x.At(f.group*g+8*i), v)
			VPSRLD(U8(28), v, v)
			VPAND(sign, v, v)
			VPCMPEQD(zero, codes[i], above)
			VPANDN(v, above, v)
			VPSUBD(codes[i], v, codes[i])
		}
		n := len(codes) / 2
		for i := range n {
			VPSLLD(U8(4), codes[n+i], codes[n+i])
			VPOR(codes[n+i], codes[i], codes[i])
		}
		Comment("Narrow to bytes.")
		at, upper := f.head+f.group/2*g, XMM()
		if n == 2 {
			VPACKUSDW(codes[1], codes[0], codes[0])
			VPERMQ(U8(0b11_01_10_00), codes[0], codes[0])
			VEXTRACTI128(U8(1), codes[0], upper)
			VPACKUSWB(upper, codes[0].AsX(), upper)
			VMOVDQU(upper, dst.At(at))
		} else {
			VEXTRACTI128(U8(1), codes[0], upper)
			VPACKUSDW(upper, codes[0].AsX(), upper)
			VPACKUSWB(upper, upper, upper)
			VMOVQ(upper, dst.At(at))
		}
	}
	ADDQ(U8(f.size), dst.Base)
	ADDQ(U32(4*f.group*f.groups), x.Base)
	ADDQ(U8(4*f.groups), half.Base)
	CMPQ(dst.Base, end)
	JNE(LabelRef("blocks"))
	VZEROUPPER()
	RET()
}

var middles = map[float32]Mem{}

// middle returns a constant with m in 8 lanes.
func middle(m float32) Mem {
	c, ok := middles[m]
	if !ok {
		c = GLOBL(fmt.Sprintf("middle%d", int(2*m)), attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(4*i, U32(math.Float32bits(m)))
		}
		middles[m] = c
	}
	return c
}
