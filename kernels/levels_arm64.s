//go:build !purego

#include "textflag.h"
#include "neon.h"

// NARROW stores the integers of V4 to V7 as bytes.
#define NARROW \
	VUZP1  V5.H8, V4.H8, V12.H8    \
	VUZP1  V7.H8, V6.H8, V13.H8    \
	VUZP1  V13.B16, V12.B16, V12.B16 \
	VST1.P [V12.B16], 16(R0)

// COUNT adds 1 to V4 to V7 where IS, a comparison, holds for V0 to V3.
#define COUNT(IS, m) \
	IS(m, 0, 12)               \
	IS(m, 1, 13)               \
	IS(m, 2, 14)               \
	IS(m, 3, 15)               \
	VSUB V12.S4, V4.S4, V4.S4  \
	VSUB V13.S4, V5.S4, V5.S4  \
	VSUB V14.S4, V6.S4, V6.S4  \
	VSUB V15.S4, V7.S4, V7.S4

#define ZEROCOUNT \
	VEOR V4.B16, V4.B16, V4.B16 \
	VEOR V5.B16, V5.B16, V5.B16 \
	VEOR V6.B16, V6.B16, V6.B16 \
	VEOR V7.B16, V7.B16, V7.B16

// func peakGroupsNEON(peaks, x []float32, group int)
TEXT ·peakGroupsNEON(SB), NOSPLIT, $0-56
	MOVD peaks_base+0(FP), R0
	MOVD peaks_len+8(FP), R1
	MOVD x_base+24(FP), R2
	MOVD group+48(FP), R3
	MOVD $0x7fffffff, R4
	VDUP R4, V31.S4

groups:
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	MOVD R3, R5

values:
	VLD1.P 64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	NOTNAN(0, 4)
	NOTNAN(1, 5)
	NOTNAN(2, 6)
	NOTNAN(3, 7)
	VAND   V31.B16, V4.B16, V4.B16
	VAND   V31.B16, V5.B16, V5.B16
	VAND   V31.B16, V6.B16, V6.B16
	VAND   V31.B16, V7.B16, V7.B16
	VAND   V4.B16, V0.B16, V0.B16
	VAND   V5.B16, V1.B16, V1.B16
	VAND   V6.B16, V2.B16, V2.B16
	VAND   V7.B16, V3.B16, V3.B16
	VUMAX  V1.S4, V0.S4, V0.S4
	VUMAX  V3.S4, V2.S4, V2.S4
	VUMAX  V0.S4, V16.S4, V16.S4
	VUMAX  V2.S4, V17.S4, V17.S4
	SUBS   $16, R5
	BNE    values
	VUMAX  V17.S4, V16.S4, V16.S4
	UMAXV4S(16, 24)
	FMOVS.P F24, 4(R0)
	SUBS   $1, R1
	BNE    groups
	RET

// func extremesNEON(x []float32) (low, high float32)
TEXT ·extremesNEON(SB), NOSPLIT, $0-32
	MOVD x_base+0(FP), R0
	MOVD x_len+8(FP), R1
	VLD1 (R0), [V16.S4, V17.S4]
	VMOV V16.B16, V18.B16
	VMOV V17.B16, V19.B16

values:
	VLD1.P 32(R0), [V0.S4, V1.S4]
	FMIN4S(0, 16, 16)
	FMIN4S(1, 17, 17)
	FMAX4S(0, 18, 18)
	FMAX4S(1, 19, 19)
	SUBS   $8, R1
	BNE    values
	FMIN4S(17, 16, 16)
	FMAX4S(19, 18, 18)
	FMINV4S(16, 16)
	FMAXV4S(18, 18)
	FMOVS  F16, low+24(FP)
	FMOVS  F18, high+28(FP)
	RET

// func nf4LevelsNEON(levels []uint8, x, peaks []float32, group int, middles *[16]float32)
TEXT ·nf4LevelsNEON(SB), NOSPLIT, $0-88
	MOVD    levels_base+0(FP), R0
	MOVD    x_base+24(FP), R1
	MOVD    peaks_base+48(FP), R2
	MOVD    peaks_len+56(FP), R3
	MOVD    group+72(FP), R4
	MOVD    middles+80(FP), R5
	VLD1R.P 4(R5), [V16.S4]
	VLD1R.P 4(R5), [V17.S4]
	VLD1R.P 4(R5), [V18.S4]
	VLD1R.P 4(R5), [V19.S4]
	VLD1R.P 4(R5), [V20.S4]
	VLD1R.P 4(R5), [V21.S4]
	VLD1R.P 4(R5), [V22.S4]
	VLD1R.P 4(R5), [V23.S4]
	VLD1R.P 4(R5), [V24.S4]
	VLD1R.P 4(R5), [V25.S4]
	VLD1R.P 4(R5), [V26.S4]
	VLD1R.P 4(R5), [V27.S4]
	VLD1R.P 4(R5), [V28.S4]
	VLD1R.P 4(R5), [V29.S4]
	VLD1R.P 4(R5), [V30.S4]
	MOVD    $0x006ce3ee, R6 // 1e-38
	FMOVS   R6, F9
	FMOVS   $1.0, F10

groups:
	FMOVS.P 4(R2), F11
	FMAXS   F9, F11, F11
	FDIVS   F11, F10, F11
	VDUP    V11.S[0], V31.S4
	MOVD    R4, R6

values:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMUL4S(31, 0, 0)
	FMUL4S(31, 1, 1)
	FMUL4S(31, 2, 2)
	FMUL4S(31, 3, 3)
	ZEROCOUNT
	COUNT(FCMGT4S, 16)
	COUNT(FCMGT4S, 17)
	COUNT(FCMGT4S, 18)
	COUNT(FCMGT4S, 19)
	COUNT(FCMGT4S, 20)
	COUNT(FCMGT4S, 21)
	COUNT(FCMGT4S, 22)
	COUNT(FCMGT4S, 23)
	COUNT(FCMGT4S, 24)
	COUNT(FCMGT4S, 25)
	COUNT(FCMGT4S, 26)
	COUNT(FCMGT4S, 27)
	COUNT(FCMGT4S, 28)
	COUNT(FCMGT4S, 29)
	COUNT(FCMGT4S, 30)
	NARROW
	SUBS   $16, R6
	BNE    values
	SUBS   $1, R3
	BNE    groups
	RET

// SIGNED gives the code C, of number c, the sign of the value V, and zeros none. Codes
// under the mask V30 become zero.
#define SIGNED(V, C, c) \
	BIC16B(30, c, c)               \
	VUSHR $28, V.S4, V.S4          \
	CMTST4S(c, c, 12)              \
	VAND  V31.B16, V.B16, V.B16    \
	VAND  V12.B16, V.B16, V.B16    \
	VORR  V.B16, C.B16, C.B16

// func e2m1LevelsNEON(levels []uint8, x, scales []float32, group int)
TEXT ·e2m1LevelsNEON(SB), NOSPLIT, $0-80
	MOVD  levels_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  scales_base+48(FP), R2
	MOVD  scales_len+56(FP), R3
	MOVD  group+72(FP), R4
	MOVD  $8, R6
	VDUP  R6, V31.S4
	FMOVS $0.5, F16
	FMOVS $1.5, F17
	FMOVS $2.5, F18
	FMOVS $3.5, F19
	FMOVS $5.0, F20
	FMOVS $7.0, F21
	FMOVS $10.0, F22
	VDUP  V16.S[0], V16.S4
	VDUP  V17.S[0], V17.S4
	VDUP  V18.S[0], V18.S4
	VDUP  V19.S[0], V19.S4
	VDUP  V20.S[0], V20.S4
	VDUP  V21.S[0], V21.S4
	VDUP  V22.S[0], V22.S4
	VEOR  V10.B16, V10.B16, V10.B16

groups:
	VLD1R.P 4(R2), [V11.S4]
	FCMEQ4S(10, 11, 30)
	FMUL4S(16, 11, 11)
	FMUL4S(11, 16, 23)
	FMUL4S(11, 17, 24)
	FMUL4S(11, 18, 25)
	FMUL4S(11, 19, 26)
	FMUL4S(11, 20, 27)
	FMUL4S(11, 21, 28)
	FMUL4S(11, 22, 29)
	MOVD    R4, R6

values:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	ZEROCOUNT
	COUNT(FACGT4S, 23)
	COUNT(FACGT4S, 24)
	COUNT(FACGT4S, 25)
	COUNT(FACGT4S, 26)
	COUNT(FACGT4S, 27)
	COUNT(FACGT4S, 28)
	COUNT(FACGT4S, 29)
	SIGNED(V0, V4, 4)
	SIGNED(V1, V5, 5)
	SIGNED(V2, V6, 6)
	SIGNED(V3, V7, 7)
	NARROW
	SUBS   $16, R6
	BNE    values
	SUBS   $1, R3
	BNE    groups
	RET

// LIMITED limits V0 to V3 to [V16, V17], V16 for NaN, and rounds them into V4 to V7.
#define LIMITED \
	FMAXNM4S(16, 0, 0) \
	FMAXNM4S(16, 1, 1) \
	FMAXNM4S(16, 2, 2) \
	FMAXNM4S(16, 3, 3) \
	FMIN4S(17, 0, 0)   \
	FMIN4S(17, 1, 1)   \
	FMIN4S(17, 2, 2)   \
	FMIN4S(17, 3, 3)   \
	FCVTNS4S(0, 4)     \
	FCVTNS4S(1, 5)     \
	FCVTNS4S(2, 6)     \
	FCVTNS4S(3, 7)

// func affineLevelsNEON(levels []uint8, x, scales, biases []float32, group int, high float32)
TEXT ·affineLevelsNEON(SB), NOSPLIT, $0-108
	MOVD  levels_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  scales_base+48(FP), R2
	MOVD  scales_len+56(FP), R3
	MOVD  biases_base+72(FP), R5
	MOVD  group+96(FP), R4
	MOVWU high+104(FP), R6
	VDUP  R6, V17.S4
	VEOR  V16.B16, V16.B16, V16.B16

groups:
	VLD1R.P 4(R2), [V18.S4]
	VLD1R.P 4(R5), [V19.S4]
	MOVD    R4, R6

values:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	FSUB4S(19, 0, 0)
	FSUB4S(19, 1, 1)
	FSUB4S(19, 2, 2)
	FSUB4S(19, 3, 3)
	FDIV4S(18, 0, 0)
	FDIV4S(18, 1, 1)
	FDIV4S(18, 2, 2)
	FDIV4S(18, 3, 3)
	LIMITED
	NARROW
	SUBS   $16, R6
	BNE    values
	SUBS   $1, R3
	BNE    groups
	RET

// func limitedLevelsNEON(levels []uint8, x []float32, low, high, offset float32)
TEXT ·limitedLevelsNEON(SB), NOSPLIT, $0-60
	MOVD  levels_base+0(FP), R0
	MOVD  levels_len+8(FP), R3
	MOVD  x_base+24(FP), R1
	MOVWU low+48(FP), R4
	VDUP  R4, V16.S4
	MOVWU high+52(FP), R4
	VDUP  R4, V17.S4
	MOVWU offset+56(FP), R4
	VDUP  R4, V18.S4
	FCVTNS4S(18, 18)

values:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	LIMITED
	VADD   V18.S4, V4.S4, V4.S4
	VADD   V18.S4, V5.S4, V5.S4
	VADD   V18.S4, V6.S4, V6.S4
	VADD   V18.S4, V7.S4, V7.S4
	NARROW
	SUBS   $16, R3
	BNE    values
	RET

// func divideNEON(dst, x []float32, s float32)
TEXT ·divideNEON(SB), NOSPLIT, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  x_base+24(FP), R1
	MOVD  x_len+32(FP), R2
	MOVWU s+48(FP), R3
	VDUP  R3, V16.S4

values:
	VLD1.P 32(R1), [V0.S4, V1.S4]
	FDIV4S(16, 0, 0)
	FDIV4S(16, 1, 1)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R2
	BNE    values
	RET

// func affineEndsNEON(scales, biases []float32, top float32)
TEXT ·affineEndsNEON(SB), NOSPLIT, $0-52
	MOVD  scales_base+0(FP), R0
	MOVD  scales_len+8(FP), R1
	MOVD  biases_base+24(FP), R2
	MOVWU top+48(FP), R3
	VDUP  R3, V16.S4
	MOVD  $0x33d6bf95, R3 // 1e-7
	VDUP  R3, V17.S4
	VEOR  V18.B16, V18.B16, V18.B16

groups:
	VLD1 (R0), [V0.S4]
	VLD1 (R2), [V1.S4]
	FSUB4S(0, 1, 2)
	FDIV4S(16, 2, 2)
	FMAX4S(17, 2, 2)
	FNEG4S(2, 4)
	FACGT4S(1, 0, 5)
	VMOV V5.B16, V6.B16
	VBSL V4.B16, V2.B16, V5.B16 // s
	VBSL V1.B16, V0.B16, V6.B16 // e
	FDIV4S(5, 6, 7)
	FRINTN4S(7, 7)
	FCMEQ4S(18, 7, 8)
	FDIV4S(7, 6, 9)
	BIC16B(8, 6, 6)
	VBSL V9.B16, V5.B16, V8.B16
	VST1.P [V8.S4], 16(R0)
	VST1.P [V6.S4], 16(R2)
	SUBS $4, R1
	BNE  groups
	RET

// func joinNibblesNEON(dst []byte, levels []uint8, first, second uint8)
TEXT ·joinNibblesNEON(SB), NOSPLIT, $0-50
	MOVD  dst_base+0(FP), R0
	MOVD  levels_base+24(FP), R1
	MOVD  levels_len+32(FP), R2
	MOVBU first+48(FP), R3
	MOVBU second+49(FP), R4
	VDUP  R3, V16.B16
	VDUP  R4, V17.B16

levels:
	VLD2.P 32(R1), [V0.B16, V1.B16]
	MUL16B(16, 0, 0)
	MUL16B(17, 1, 1)
	VORR   V1.B16, V0.B16, V0.B16
	VST1.P [V0.B16], 16(R0)
	SUBS   $32, R2
	BNE    levels
	RET
