// Advanced SIMD instructions that Go's assembler does not have, as words. Register
// operands are numbers, in the order of Go's assembler: sources before destination.
// Encodings: Arm Architecture Reference Manual for A-profile, section C7.2.

// FCVTL (Vn.4H) and FCVTL2 (the upper half of Vn.8H), Vd.4S: F16 to float32
#define FCVTL(n, d)    WORD $(0x0E217800 | (n)<<5 | (d))
#define FCVTL2(n, d)   WORD $(0x4E217800 | (n)<<5 | (d))

// FCVTN Vn.4S, (Vd.4H) and FCVTN2 (the upper half of Vd.8H): float32 to F16
#define FCVTN(n, d)    WORD $(0x0E216800 | (n)<<5 | (d))
#define FCVTN2(n, d)   WORD $(0x4E216800 | (n)<<5 | (d))

// FCVTL (Vn.2S) and FCVTL2 (the upper half of Vn.4S), Vd.2D: float32 to float64
#define FCVTLD(n, d)   WORD $(0x0E617800 | (n)<<5 | (d))
#define FCVTLD2(n, d)  WORD $(0x4E617800 | (n)<<5 | (d))

// Vd = Vn + Vm, Vn - Vm and Vn * Vm, of .4S
#define FADD4S(m, n, d)  WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))
#define FSUB4S(m, n, d)  WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d))
#define FMUL4S(m, n, d)  WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))

// Vd = Vn / Vm, the greater and the lesser of Vn and Vm, of .4S
#define FDIV4S(m, n, d)  WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d))
#define FMAX4S(m, n, d)  WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))
#define FMIN4S(m, n, d)  WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))

// Vd = all ones in the lanes where Vn = Vm, Vn > Vm, and |Vn| >= |Vm|, of .4S; no bits
// where one of them is NaN
#define FCMEQ4S(m, n, d)  WORD $(0x4E20E400 | (m)<<16 | (n)<<5 | (d))
#define FCMGT4S(m, n, d)  WORD $(0x6EA0E400 | (m)<<16 | (n)<<5 | (d))
#define FACGE4S(m, n, d)  WORD $(0x6E20EC00 | (m)<<16 | (n)<<5 | (d))

// FACGT: all ones where |Vn| > |Vm|; FMAXNM and FMINNM: as FMAX and FMIN, but the other
// number if one is a quiet NaN; of .4S
#define FACGT4S(m, n, d)   WORD $(0x6EA0EC00 | (m)<<16 | (n)<<5 | (d))
#define FMAXNM4S(m, n, d)  WORD $(0x4E20C400 | (m)<<16 | (n)<<5 | (d))
#define FMINNM4S(m, n, d)  WORD $(0x4EA0C400 | (m)<<16 | (n)<<5 | (d))

// FMAXV and FMINV Vn.4S, Sd: the greatest and the least lane
#define FMAXV4S(n, d)  WORD $(0x6E30F800 | (n)<<5 | (d))
#define FMINV4S(n, d)  WORD $(0x6EB0F800 | (n)<<5 | (d))

// FNEG and FCVTNS Vn.4S, Vd.4S: the negative, and float32 to int32, ties to even
#define FNEG4S(n, d)    WORD $(0x6EA0F800 | (n)<<5 | (d))
#define FCVTNS4S(n, d)  WORD $(0x4E21A800 | (n)<<5 | (d))

// CMTST: all ones in the lanes of .4S where Vn & Vm is not zero; BIC: Vn and not Vm; MUL
// of .16B
#define CMTST4S(m, n, d)  WORD $(0x4EA08C00 | (m)<<16 | (n)<<5 | (d))
#define BIC16B(m, n, d)   WORD $(0x4E601C00 | (m)<<16 | (n)<<5 | (d))
#define MUL16B(m, n, d)   WORD $(0x4E209C00 | (m)<<16 | (n)<<5 | (d))

// FABS and FRINTN Vn.4S, Vd.4S: the magnitude, and the nearest integer, ties to even
#define FABS4S(n, d)    WORD $(0x4EA0F800 | (n)<<5 | (d))
#define FRINTN4S(n, d)  WORD $(0x4E218800 | (n)<<5 | (d))

// REPLACE sets the bits of Vd under the mask Vm to those of Vn: BIT, which Go has as VBIT,
// for macros that get registers as numbers.
#define REPLACE(m, n, d)  WORD $(0x6EA01C00 | (m)<<16 | (n)<<5 | (d))

// FCVTAS and FCVTZS Vn.4S, Vd.4S: float32 to int32, to nearest with ties away from zero,
// and towards zero; SCVTF back
#define FCVTAS4S(n, d)  WORD $(0x4E21C800 | (n)<<5 | (d))
#define FCVTZS4S(n, d)  WORD $(0x4EA1B800 | (n)<<5 | (d))
#define SCVTF4S(n, d)   WORD $(0x4E21D800 | (n)<<5 | (d))

// SXTL Vn.8B, Vd.8H and Vn.4H, Vd.4S, and SXTL2 of the upper halves
#define SXTL8H(n, d)   WORD $(0x0F08A400 | (n)<<5 | (d))
#define SXTL8H2(n, d)  WORD $(0x4F08A400 | (n)<<5 | (d))
#define SXTL4S(n, d)   WORD $(0x0F10A400 | (n)<<5 | (d))
#define SXTL4S2(n, d)  WORD $(0x4F10A400 | (n)<<5 | (d))

// UMAXV Vn.4S, Sd: the greatest lane
#define UMAXV4S(n, d)  WORD $(0x6EB0A800 | (n)<<5 | (d))

// SMIN Vm.4S, Vn.4S, Vd.4S
#define SMIN4S(m, n, d)  WORD $(0x4EA06C00 | (m)<<16 | (n)<<5 | (d))

// FCMEQ Vn.4S, Vn.4S, Vd.4S: all ones where n is not NaN
#define NOTNAN(n, d)   WORD $(0x4E20E400 | (n)<<16 | (n)<<5 | (d))

// CANONICAL leaves in MASK, which has the number m, what V, of number v, holds, but
// NAN in the lanes where that is any NaN.
#define CANONICAL(NAN, V, v, MASK, m) \
	NOTNAN(v, m)                  \
	VBSL NAN.B16, V.B16, MASK.B16
