//go:build !purego

#include "textflag.h"
#include "neon.h"

// PRODUCTS adds the products of four elements, in registers numbered x and y, to
// the two partial sums each of SUM and SUM2.
#define PRODUCTS(x, y, SUM, SUM2) \
	FCVTLD(x, 24)                   \
	FCVTLD(y, 25)                   \
	FCVTLD2(x, 26)                  \
	FCVTLD2(y, 27)                  \
	VFMLA V24.D2, V25.D2, SUM.D2    \
	VFMLA V26.D2, V27.D2, SUM2.D2

// func dotNEON(lane *[16]float64, x, y []float32)
TEXT ·dotNEON(SB), NOSPLIT, $0-56
	MOVD lane+0(FP), R0
	MOVD x_base+8(FP), R2
	MOVD x_len+16(FP), R1
	MOVD y_base+32(FP), R3
	ADD  $64, R0, R4
	VLD1 (R0), [V16.D2, V17.D2, V18.D2, V19.D2]
	VLD1 (R4), [V20.D2, V21.D2, V22.D2, V23.D2]
	CBZ  R1, done

loop:
	VLD1.P 64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	PRODUCTS(0, 4, V16, V17)
	PRODUCTS(1, 5, V18, V19)
	PRODUCTS(2, 6, V20, V21)
	PRODUCTS(3, 7, V22, V23)
	SUBS   $16, R1
	BNE    loop

done:
	VST1 [V16.D2, V17.D2, V18.D2, V19.D2], (R0)
	VST1 [V20.D2, V21.D2, V22.D2, V23.D2], (R4)
	RET
