//go:build !purego

#include "textflag.h"
#include "neon.h"

// Registers of all kernels:
//
//	R0–R7	rows of A		V0–V2	a row of B
//	R8	row of B		V3–V6	an element of A in all lanes
//	R9	left of k		V7	the NaN
//	R10	stride of B		V8–V31	the tile of C
//	R11	stride of A's columns
//	R12	tiles left
//	R13	B		R14	C
//	R15	stride of A's rows	R16	row of C
//	R17	stride of C		R19	from tile to tile of B
#define START \
	MOVD tiles+0(FP), R12   \
	MOVD b+40(FP), R13      \
	MOVD c+64(FP), R14      \
	MOVD aRow+24(FP), R15   \
	LSL  $2, R15            \
	MOVD aCol+32(FP), R11   \
	LSL  $2, R11            \
	MOVD bRow+48(FP), R10   \
	LSL  $2, R10            \
	MOVD bTile+56(FP), R19  \
	LSL  $2, R19            \
	MOVD cRow+72(FP), R17   \
	LSL  $2, R17            \
	MOVD $0x7fc00000, R16   \
	VDUP R16, V7.S4

// TILE starts on a tile: B, k and the first row of A.
#define TILE \
	MOVD R14, R16           \
	MOVD R13, R8            \
	MOVD k+8(FP), R9        \
	MOVD a+16(FP), R0

#define EIGHTROWS \
	ADD R15, R0, R1         \
	ADD R15, R1, R2         \
	ADD R15, R2, R3         \
	ADD R15, R3, R4         \
	ADD R15, R4, R5         \
	ADD R15, R5, R6         \
	ADD R15, R6, R7

// NEXT goes on to the next tile, whose columns of C are so many bytes further.
#define NEXT(bytes) \
	ADD  $bytes, R14        \
	ADD  R19, R13           \
	SUBS $1, R12

#define LOAD12(A, B, C) \
	VLD1 (R16), [A.S4, B.S4, C.S4]  \
	ADD  R17, R16

// STORE12 stores three registers, numbered a and up, by way of V0 to V2.
#define STORE12(A, B, C, a) \
	CANONICAL(V7, A, a, V0, 0)              \
	CANONICAL(V7, B, a+1, V1, 1)            \
	CANONICAL(V7, C, a+2, V2, 2)            \
	VST1 [V0.S4, V1.S4, V2.S4], (R16)       \
	ADD  R17, R16

// ROW12 adds the product of the next element of a row of A, spread to X, and the
// row of B.
#define ROW12(R, X, A, B, C) \
	VLD1R.P (R)(R11), [X.S4]                \
	VFMLA   V0.S4, X.S4, A.S4               \
	VFMLA   V1.S4, X.S4, B.S4               \
	VFMLA   V2.S4, X.S4, C.S4

// func gemm8x12NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)
TEXT ·gemm8x12NEON(SB), NOSPLIT, $0-80
	START

tile:
	TILE
	EIGHTROWS
	LOAD12(V8, V9, V10)
	LOAD12(V11, V12, V13)
	LOAD12(V14, V15, V16)
	LOAD12(V17, V18, V19)
	LOAD12(V20, V21, V22)
	LOAD12(V23, V24, V25)
	LOAD12(V26, V27, V28)
	LOAD12(V29, V30, V31)

inner:
	VLD1 (R8), [V0.S4, V1.S4, V2.S4]
	ADD  R10, R8
	ROW12(R0, V3, V8, V9, V10)
	ROW12(R1, V4, V11, V12, V13)
	ROW12(R2, V5, V14, V15, V16)
	ROW12(R3, V6, V17, V18, V19)
	ROW12(R4, V3, V20, V21, V22)
	ROW12(R5, V4, V23, V24, V25)
	ROW12(R6, V5, V26, V27, V28)
	ROW12(R7, V6, V29, V30, V31)
	SUBS $1, R9
	BNE  inner

	MOVD R14, R16
	STORE12(V8, V9, V10, 8)
	STORE12(V11, V12, V13, 11)
	STORE12(V14, V15, V16, 14)
	STORE12(V17, V18, V19, 17)
	STORE12(V20, V21, V22, 20)
	STORE12(V23, V24, V25, 23)
	STORE12(V26, V27, V28, 26)
	STORE12(V29, V30, V31, 29)
	NEXT(48)
	BNE tile
	RET

// func gemm1x12NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)
TEXT ·gemm1x12NEON(SB), NOSPLIT, $0-80
	START

tile:
	TILE
	LOAD12(V8, V9, V10)

inner:
	VLD1 (R8), [V0.S4, V1.S4, V2.S4]
	ADD  R10, R8
	ROW12(R0, V3, V8, V9, V10)
	SUBS $1, R9
	BNE  inner

	MOVD R14, R16
	STORE12(V8, V9, V10, 8)
	NEXT(48)
	BNE tile
	RET

#define LOAD4(A) \
	VLD1 (R16), [A.S4]      \
	ADD  R17, R16

#define STORE4(A, a) \
	CANONICAL(V7, A, a, V0, 0)      \
	VST1 [V0.S4], (R16)             \
	ADD  R17, R16

#define ROW4(R, X, A) \
	VLD1R.P (R)(R11), [X.S4]        \
	VFMLA   V0.S4, X.S4, A.S4

// func gemm8x4NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)
TEXT ·gemm8x4NEON(SB), NOSPLIT, $0-80
	START

tile:
	TILE
	EIGHTROWS
	LOAD4(V8)
	LOAD4(V9)
	LOAD4(V10)
	LOAD4(V11)
	LOAD4(V12)
	LOAD4(V13)
	LOAD4(V14)
	LOAD4(V15)

inner:
	VLD1 (R8), [V0.S4]
	ADD  R10, R8
	ROW4(R0, V3, V8)
	ROW4(R1, V4, V9)
	ROW4(R2, V5, V10)
	ROW4(R3, V6, V11)
	ROW4(R4, V3, V12)
	ROW4(R5, V4, V13)
	ROW4(R6, V5, V14)
	ROW4(R7, V6, V15)
	SUBS $1, R9
	BNE  inner

	MOVD R14, R16
	STORE4(V8, 8)
	STORE4(V9, 9)
	STORE4(V10, 10)
	STORE4(V11, 11)
	STORE4(V12, 12)
	STORE4(V13, 13)
	STORE4(V14, 14)
	STORE4(V15, 15)
	NEXT(16)
	BNE tile
	RET

// func gemm1x4NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)
TEXT ·gemm1x4NEON(SB), NOSPLIT, $0-80
	START

tile:
	TILE
	LOAD4(V8)

inner:
	VLD1 (R8), [V0.S4]
	ADD  R10, R8
	ROW4(R0, V3, V8)
	SUBS $1, R9
	BNE  inner

	MOVD R14, R16
	STORE4(V8, 8)
	NEXT(16)
	BNE tile
	RET
