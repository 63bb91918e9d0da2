//go:build !purego

#include "textflag.h"
#include "neon.h"

// func decodeF16NEON(dst []float32, src []byte)
TEXT ·decodeF16NEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD src_base+24(FP), R2
	CBZ  R1, done

loop:
	VLD1.P 16(R2), [V0.H8]
	FCVTL(0, 1)
	FCVTL2(0, 2)
	VST1.P [V1.S4, V2.S4], 32(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET

// func encodeF16NEON(dst []byte, src []float32)
TEXT ·encodeF16NEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD src_base+24(FP), R2
	MOVD src_len+32(FP), R1
	CBZ  R1, done

loop:
	VLD1.P 32(R2), [V0.S4, V1.S4]
	FCVTN(0, 2)
	FCVTN2(1, 2)
	VST1.P [V2.H8], 16(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET

// func decodeBF16NEON(dst []float32, src []byte)
TEXT ·decodeBF16NEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD src_base+24(FP), R2
	VEOR V3.B16, V3.B16, V3.B16
	CBZ  R1, done

loop:
	// zeros below every element
	VLD1.P 16(R2), [V0.H8]
	VZIP1  V0.H8, V3.H8, V1.H8
	VZIP2  V0.H8, V3.H8, V2.H8
	VST1.P [V1.S4, V2.S4], 32(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET

// ROUND leaves in V, of number v, a float32 of which the upper half is V as
// bfloat16. It needs 1, 0x7fff and 0x00400000 in V16 to V18, and T and MASK, of
// number m, for itself.
#define ROUND(V, v, T, MASK, m) \
	NOTNAN(v, m)                    \
	VUSHR $16, V.S4, T.S4           \
	VAND  V16.B16, T.B16, T.B16     \
	VADD  V17.S4, T.S4, T.S4        \
	VADD  V.S4, T.S4, T.S4          \
	VORR  V18.B16, V.B16, V.B16     \
	VBIT  MASK.B16, T.B16, V.B16

// func encodeBF16NEON(dst []byte, src []float32)
TEXT ·encodeBF16NEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD src_base+24(FP), R2
	MOVD src_len+32(FP), R1
	MOVD $1, R3
	VDUP R3, V16.S4
	MOVD $0x7fff, R3
	VDUP R3, V17.S4
	MOVD $0x00400000, R3
	VDUP R3, V18.S4
	CBZ  R1, done

loop:
	VLD1.P 32(R2), [V0.S4, V1.S4]
	ROUND(V0, 0, V2, V3, 3)
	ROUND(V1, 1, V4, V5, 5)
	VUZP2  V1.H8, V0.H8, V6.H8
	VST1.P [V6.H8], 16(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET
