package kernels

// e2m1Doubled are twice the values of the 4-bit floats of MXFP4 and NVFP4, which
// have two exponent bits and one mantissa bit.
var e2m1Doubled = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// encodeE2M1 stores the codes of n values in n/2 bytes, value i in the low nibble of
// byte i and value i+n/2 in the high one. half is half of their scale. Each value gets
// the first code for which
//
//	|e2m1Doubled[code]·half − x|
//
// is least: of two equally near codes the one of the smaller magnitude, and never the
// negative zero.
func encodeE2M1(dst []byte, x []float32, half float32) {
	codeOf := e2m1Code
	if !(absPeak(x) <= half*0x1p20) {
		// The values dwarf the codes, so that several differences round to the same.
		codeOf = e2m1CodeByScan
	}
	n := len(dst)
	for i := range dst {
		dst[i] = codeOf(x[i], half) | codeOf(x[n+i], half)<<4
	}
}

// e2m1Code compares with the midpoints, which float32 holds exactly, and for
// |x| ≤ 2^20·half all that decides between two neighbours is exact.
func e2m1Code(x, half float32) (code uint8) {
	a := abs32(x)
	for _, middle := range e2m1Middles {
		if a > middle*half {
			code++
		}
	}
	if x < 0 && code != 0 {
		code |= 8
	}
	return code
}

var e2m1Middles = [7]float32{0.5, 1.5, 2.5, 3.5, 5, 7, 10}

func e2m1CodeByScan(x, half float32) (code uint8) {
	least := abs32(-x)
	for c, v := range e2m1Doubled {
		if d := abs32(float32(v*half) - x); d < least {
			least, code = d, uint8(c)
		}
	}
	return code
}

// absPeak returns the greatest magnitude, passing over NaNs.
func absPeak(x []float32) (peak float32) {
	for _, v := range x {
		if a := abs32(v); a > peak {
			peak = a
		}
	}
	return peak
}
