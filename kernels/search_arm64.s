//go:build !purego

#include "textflag.h"
#include "neon.h"

// Each of the four lanes does what the generic code does for its group of values, in the
// same order. Levels are rounded by FRINTN, which is nearestInt for magnitudes up to 2^21 and more.
// A lane where one was greater, or a number was not finite, loses its bits in V20.

#define INFINITY $0x7f800000
#define GREATEST $0x7f7fffff
#define WILDEST  $0x4a000000 // 2^21
#define ONE      $0x3f800000
#define TINY     $0x26901d7d // tiny

// func transpose4NEON(dst, src *float32, n int)
TEXT ·transpose4NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R5
	ADD  R5<<2, R1, R2
	ADD  R5<<2, R2, R3
	ADD  R5<<2, R3, R4

loop:
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 16(R2), [V1.S4]
	VLD1.P 16(R3), [V2.S4]
	VLD1.P 16(R4), [V3.S4]
	VTRN1  V1.S4, V0.S4, V4.S4
	VTRN2  V1.S4, V0.S4, V5.S4
	VTRN1  V3.S4, V2.S4, V6.S4
	VTRN2  V3.S4, V2.S4, V7.S4
	VTRN1  V6.D2, V4.D2, V0.D2
	VTRN1  V7.D2, V5.D2, V1.D2
	VTRN2  V6.D2, V4.D2, V2.D2
	VTRN2  V7.D2, V5.D2, V3.D2
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $4, R5
	BNE    loop
	RET

// The registers of fitAffineNEON:
//	V0-V3 x, V4-V7 w, V8-V11 levels of four columns
//	V12 Σwl, V13 Σwl², V14 Σwxl of a trial, V15 the lanes with a constant
//	V16 the width of a trial in levels, then its error
//	V17 min, V18 scale, V19 inverse of a trial
//	V20 the lanes that are not wild
//	V21 base, V22 inverse, V23 scale, V24 min, V25 error of the best
//	V26 Σwx, V27 Σw, V28 the greatest x, V29 the least
//	V30 top, V31 zero

// Ties of zeros keep the first of them, and NaNs change nothing, as in the generic code.
#define AFFINE_RANGE(x, w) \
	FCMGT4S(x, 29, 8)  \
	REPLACE(8, x, 29)  \
	FCMGT4S(28, x, 8)  \
	REPLACE(8, x, 28)  \
	FADD4S(w, 27, 27)  \
	FMUL4S(w, x, 8)    \
	FADD4S(8, 26, 26)

#define AFFINE_LEVEL(x, w, l) \
	FSUB4S(24, x, l)      \
	FMUL4S(19, l, l)      \
	FRINTN4S(l, l)        \
	FMAX4S(31, l, l)      \
	FMIN4S(30, l, l)      \
	FMUL4S(l, w, w)       \
	FADD4S(w, 12, 12)     \
	FMUL4S(w, x, x)       \
	FADD4S(x, 14, 14)     \
	FMUL4S(l, w, w)       \
	FADD4S(w, 13, 13)

#define AFFINE_ERROR(x, w, l) \
	FMUL4S(18, l, l)      \
	FADD4S(17, l, l)      \
	FSUB4S(x, l, l)       \
	FMUL4S(l, l, l)       \
	FMUL4S(w, l, l)       \
	FADD4S(l, 16, 16)

// func fitAffineNEON(fit *affineLanes, x, w, levels *float32, n int, widths *float32, steps int, top float32)
TEXT ·fitAffineNEON(SB), NOSPLIT, $0-60
	MOVD  fit+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  w+16(FP), R2
	MOVD  levels+24(FP), R3
	MOVD  n+32(FP), R4
	MOVD  widths+40(FP), R5
	MOVD  steps+48(FP), R6
	FMOVS top+56(FP), F30
	VDUP  V30.S[0], V30.S4
	VEOR  V31.B16, V31.B16, V31.B16

	// the range and sums; -0 is what adding starts from without changing anything
	VLD1 (R1), [V29.S4]
	VMOV V29.B16, V28.B16
	MOVD $0x80000000, R7
	VDUP R7, V27.S4
	VDUP R7, V26.S4
	MOVD R1, R8
	MOVD R2, R9
	MOVD R4, R10

range:
	VLD1.P 64(R8), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R9), [V4.S4, V5.S4, V6.S4, V7.S4]
	AFFINE_RANGE(0, 4)
	AFFINE_RANGE(1, 5)
	AFFINE_RANGE(2, 6)
	AFFINE_RANGE(3, 7)
	SUBS   $4, R10
	BNE    range

	// the first trial has the min of the values, or 0
	VMOV V29.B16, V24.B16
	FCMGT4S(31, 29, 8)
	REPLACE(8, 31, 24)

	// a constant is made as wide as can be, so that all levels are 0
	MOVD INFINITY, R7
	VDUP R7, V8.S4
	FCMEQ4S(24, 28, 15)
	REPLACE(15, 8, 28)

	// a sum that is not finite: something in it was not, or nearly so
	MOVD GREATEST, R7
	VDUP R7, V8.S4
	FACGE4S(26, 8, 20)

	MOVD ZR, R11 // trials that have been done
	VMOV V30.B16, V16.B16

trial:
	FSUB4S(24, 28, 8)
	FDIV4S(8, 16, 19)

	// rounding is monotone: the levels of the extremes are the greatest
	MOVD WILDEST, R7
	VDUP R7, V9.S4
	FMUL4S(8, 19, 8)
	FACGE4S(8, 9, 8)
	FSUB4S(24, 29, 10)
	FMUL4S(10, 19, 10)
	FACGE4S(10, 9, 10)
	VAND V8.B16, V10.B16, V8.B16
	VORR V15.B16, V8.B16, V8.B16
	VAND V8.B16, V20.B16, V20.B16

	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	MOVD R1, R8
	MOVD R2, R9
	MOVD R3, R12
	MOVD R4, R10

quantize:
	VLD1.P 64(R8), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R9), [V4.S4, V5.S4, V6.S4, V7.S4]
	AFFINE_LEVEL(0, 4, 8)
	AFFINE_LEVEL(1, 5, 9)
	AFFINE_LEVEL(2, 6, 10)
	AFFINE_LEVEL(3, 7, 11)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R12)
	SUBS   $4, R10
	BNE    quantize
	CBNZ   R11, solve

	// the first trial is the best so far as it is
	MOVD ONE, R7
	VDUP R7, V8.S4
	FDIV4S(19, 8, 18)
	VMOV V24.B16, V17.B16
	VMOV V24.B16, V21.B16
	VMOV V19.B16, V22.B16
	VMOV V18.B16, V23.B16
	B    error

solve:
	// the scale and min of weighted least squares
	FMUL4S(27, 13, 0)
	FMUL4S(12, 12, 1)
	FSUB4S(1, 0, 0)
	FMUL4S(27, 14, 1)
	FMUL4S(26, 12, 2)
	FSUB4S(2, 1, 1)
	FDIV4S(0, 1, 18)
	FMUL4S(26, 13, 1)
	FMUL4S(14, 12, 2)
	FSUB4S(2, 1, 1)
	FDIV4S(0, 1, 17)
	FCMGT4S(31, 0, 12) // the lanes that have a solution

	// a min above 0 becomes 0
	FCMGT4S(31, 17, 1)
	FDIV4S(13, 14, 2)
	REPLACE(1, 2, 18)
	REPLACE(1, 31, 17)

error:
	VEOR V16.B16, V16.B16, V16.B16
	MOVD R1, R8
	MOVD R2, R9
	MOVD R3, R12
	MOVD R4, R10

difference:
	VLD1.P 64(R8), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R9), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R12), [V8.S4, V9.S4, V10.S4, V11.S4]
	AFFINE_ERROR(0, 4, 8)
	AFFINE_ERROR(1, 5, 9)
	AFFINE_ERROR(2, 6, 10)
	AFFINE_ERROR(3, 7, 11)
	SUBS   $4, R10
	BNE    difference
	CBNZ   R11, compare
	VMOV   V16.B16, V25.B16
	B      next

compare:
	FCMGT4S(16, 25, 8)
	VAND V12.B16, V8.B16, V8.B16
	REPLACE(8, 24, 21)
	REPLACE(8, 19, 22)
	REPLACE(8, 18, 23)
	REPLACE(8, 17, 24)
	REPLACE(8, 16, 25)

next:
	CMP     R6, R11
	BEQ     done
	ADD     $1, R11
	VLD1R.P 4(R5), [V16.S4]
	B       trial

done:
	// constants
	REPLACE(15, 31, 21)
	REPLACE(15, 31, 23)
	VST1.P [V20.S4], 16(R0)
	VST1   [V21.S4, V22.S4, V23.S4, V24.S4], (R0)
	RET

// The registers of fitSymmetricNEON:
//	V0-V3 x, then levels, V4-V7 w, V8-V11 wx of four columns
//	V12 Σwxl, V13 Σwl² of a trial
//	V16 the peak, V17 its magnitude, V19 the inverse of a trial
//	V20 the lanes that are not wild
//	V21 inverse, V22 scale, V23 gain of the best
//	V28 zero, V30 the lowest level, V31 the highest

#define SYMMETRIC_PEAK(x, w, wx) \
	FABS4S(x, 18)            \
	FCMGT4S(17, 18, 19)      \
	REPLACE(19, x, 16)       \
	REPLACE(19, 18, 17)      \
	FMUL4S(x, w, wx)

#define SYMMETRIC_LEVEL(x, w, wx) \
	FMUL4S(19, x, x)          \
	FRINTN4S(x, x)            \
	FMAX4S(30, x, x)          \
	FMIN4S(31, x, x)          \
	FMUL4S(x, wx, wx)         \
	FADD4S(wx, 12, 12)        \
	FMUL4S(x, w, w)           \
	FMUL4S(x, w, w)           \
	FADD4S(w, 13, 13)

// func fitSymmetricNEON(fit *symmetricLanes, x, w, wx *float32, n int, ends *[19]float32, half float32)
TEXT ·fitSymmetricNEON(SB), NOSPLIT, $0-52
	MOVD  fit+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  w+16(FP), R2
	MOVD  wx+24(FP), R3
	MOVD  n+32(FP), R4
	MOVD  ends+40(FP), R5
	FMOVS half+48(FP), F0
	VDUP  V0.S[0], V0.S4
	VEOR  V28.B16, V28.B16, V28.B16
	FSUB4S(0, 28, 30)
	MOVD  ONE, R7
	VDUP  R7, V1.S4
	FSUB4S(1, 0, 31)

	// the first value of the greatest magnitude
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	MOVD R1, R8
	MOVD R2, R9
	MOVD R3, R12
	MOVD R4, R10

peak:
	VLD1.P 64(R8), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R9), [V4.S4, V5.S4, V6.S4, V7.S4]
	SYMMETRIC_PEAK(0, 4, 8)
	SYMMETRIC_PEAK(1, 5, 9)
	SYMMETRIC_PEAK(2, 6, 10)
	SYMMETRIC_PEAK(3, 7, 11)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R12)
	SUBS   $4, R10
	BNE    peak

	// zeros get an inverse that makes all levels 0
	MOVD TINY, R7
	VDUP R7, V0.S4
	FCMGT4S(17, 0, 1)
	MOVD INFINITY, R7
	VDUP R7, V0.S4
	REPLACE(1, 0, 16)

	MOVD $19, R11 // trials left

trial:
	VLD1R.P 4(R5), [V19.S4]
	FDIV4S(16, 19, 19)
	VEOR    V12.B16, V12.B16, V12.B16
	VEOR    V13.B16, V13.B16, V13.B16
	MOVD    R1, R8
	MOVD    R2, R9
	MOVD    R3, R12
	MOVD    R4, R10

quantize:
	VLD1.P 64(R8), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R9), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R12), [V8.S4, V9.S4, V10.S4, V11.S4]
	SYMMETRIC_LEVEL(0, 4, 8)
	SYMMETRIC_LEVEL(1, 5, 9)
	SYMMETRIC_LEVEL(2, 6, 10)
	SYMMETRIC_LEVEL(3, 7, 11)
	SUBS   $4, R10
	BNE    quantize
	FDIV4S(13, 12, 0)
	FMUL4S(12, 0, 1)
	CMP    $19, R11
	BNE    compare

	// the first trial is the best so far; without levels its scale is 0
	VMOV V19.B16, V21.B16
	VMOV V0.B16, V22.B16
	FCMEQ4S(28, 13, 2)
	REPLACE(2, 28, 22)
	FMUL4S(12, 22, 23)

	// a sum that is not finite: something in it was not, or nearly so
	MOVD GREATEST, R7
	VDUP R7, V2.S4
	FACGE4S(12, 2, 20)
	B    next

compare:
	FMUL4S(12, 12, 2)
	FMUL4S(13, 23, 3)
	FCMGT4S(3, 2, 2)
	FCMGT4S(28, 13, 3)
	VAND V3.B16, V2.B16, V2.B16
	REPLACE(2, 19, 21)
	REPLACE(2, 0, 22)
	REPLACE(2, 1, 23)

next:
	SUBS   $1, R11
	BNE    trial
	VST1   [V20.S4, V21.S4, V22.S4], (R0)
	RET
