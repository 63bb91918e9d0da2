package kernels

import "math"

// e2m1Doubled are twice the values of the 4-bit floats of MXFP4 and NVFP4, which
// have two exponent bits and one mantissa bit.
var e2m1Doubled = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// encodeE2M1 stores the codes of n values in n/2 bytes, value i in the low nibble of
// byte i and value i+n/2 in the high one. half is half of their scale, peak is their
// greatest magnitude. Each value gets the first code for which
//
//	|e2m1Doubled[code]·half − x|
//
// is least: of two equally near codes the one of the smaller magnitude, and never the
// negative zero.
func encodeE2M1(dst []byte, x []float32, half, peak float32) {
	n := len(dst)
	switch {
	case half == 0: // all codes are equally near
		clear(dst)
	case e2m1Dwarfed(half, peak):
		for i := range dst {
			dst[i] = e2m1CodeByScan(x[i], half) | e2m1CodeByScan(x[n+i], half)<<4
		}
	default:
		var middle [7]uint32
		for i, m := range e2m1Middles {
			middle[i] = math.Float32bits(m * half)
		}
		for i := range dst {
			dst[i] = e2m1Code(x[i], &middle) | e2m1Code(x[n+i], &middle)<<4
		}
	}
}

// e2m1Dwarfed says that values may be so large against the codes that several of the
// differences round to the same. Below that limit float32 holds exactly what decides
// between two neighbours, the midpoints too.
func e2m1Dwarfed(half, peak float32) bool { return !(peak <= half*0x1p20) }

// e2m1Middles are the midpoints between the doubled values.
var e2m1Middles = [7]float32{0.5, 1.5, 2.5, 3.5, 5, 7, 10}

// e2m1Code counts the midpoints, given as bits, below |x|. As integers, the bits of
// positive floats are in the same order. NaNs get the code of zero.
func e2m1Code(x float32, middle *[7]uint32) uint8 {
	b := math.Float32bits(x)
	a := b &^ (1 << 31)
	if a > f32Inf {
		a = 0
	}
	var code uint32
	for _, m := range middle {
		code += (m - a) >> 31
	}
	if code != 0 {
		code |= b >> 31 << 3
	}
	return uint8(code)
}

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
