//go:build !purego

#include "textflag.h"
#include "neon.h"

// func addScaledNEON(y []float32, a float32, x []float32)
TEXT ·addScaledNEON(SB), NOSPLIT, $0-56
	MOVD  y_base+0(FP), R0
	MOVD  y_len+8(FP), R1
	MOVWU a+24(FP), R3
	MOVD  x_base+32(FP), R2
	VDUP  R3, V16.S4
	MOVD  $0x7fc00000, R3
	VDUP  R3, V17.S4
	CBZ   R1, done

loop:
	VLD1.P 32(R2), [V0.S4, V1.S4]
	VLD1   (R0), [V2.S4, V3.S4]
	FMUL4S(16, 0, 0)
	FMUL4S(16, 1, 1)
	FADD4S(0, 2, 2)
	FADD4S(1, 3, 3)
	CANONICAL(V17, V2, 2, V4, 4)
	CANONICAL(V17, V3, 3, V5, 5)
	VST1.P [V4.S4, V5.S4], 32(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET

// func scaleNEON(y []float32, a float32)
TEXT ·scaleNEON(SB), NOSPLIT, $0-28
	MOVD  y_base+0(FP), R0
	MOVD  y_len+8(FP), R1
	MOVWU a+24(FP), R3
	VDUP  R3, V16.S4
	MOVD  $0x7fc00000, R3
	VDUP  R3, V17.S4
	CBZ   R1, done

loop:
	VLD1 (R0), [V0.S4, V1.S4]
	FMUL4S(16, 0, 0)
	FMUL4S(16, 1, 1)
	CANONICAL(V17, V0, 0, V2, 2)
	CANONICAL(V17, V1, 1, V3, 3)
	VST1.P [V2.S4, V3.S4], 32(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET

// func subNEON(dst, x, y []float32)
TEXT ·subNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD x_base+24(FP), R2
	MOVD y_base+48(FP), R3
	MOVD $0x7fc00000, R4
	VDUP R4, V17.S4
	CBZ  R1, done

loop:
	VLD1.P 32(R2), [V0.S4, V1.S4]
	VLD1.P 32(R3), [V2.S4, V3.S4]
	FSUB4S(2, 0, 0)
	FSUB4S(3, 1, 1)
	CANONICAL(V17, V0, 0, V4, 4)
	CANONICAL(V17, V1, 1, V5, 5)
	VST1.P [V4.S4, V5.S4], 32(R0)
	SUBS   $8, R1
	BNE    loop

done:
	RET

// func leadingFiniteNEON(x []float32) int
TEXT ·leadingFiniteNEON(SB), NOSPLIT, $0-32
	MOVD x_base+0(FP), R0
	MOVD x_len+8(FP), R1
	MOVD $0, R2
	MOVD $0x7f800000, R3
	VDUP R3, V16.S4

loop:
	CMP   $16, R1
	BLT   done
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VAND  V16.B16, V0.B16, V0.B16
	VAND  V16.B16, V1.B16, V1.B16
	VAND  V16.B16, V2.B16, V2.B16
	VAND  V16.B16, V3.B16, V3.B16
	VCMEQ V16.S4, V0.S4, V0.S4
	VCMEQ V16.S4, V1.S4, V1.S4
	VCMEQ V16.S4, V2.S4, V2.S4
	VCMEQ V16.S4, V3.S4, V3.S4
	VORR  V0.B16, V1.B16, V0.B16
	VORR  V2.B16, V3.B16, V2.B16
	VORR  V0.B16, V2.B16, V0.B16
	VMOV  V0.D[0], R4
	VMOV  V0.D[1], R5
	ORR   R4, R5
	CBNZ  R5, done
	ADD   $16, R2
	SUB   $16, R1
	B     loop

done:
	MOVD R2, ret+24(FP)
	RET
