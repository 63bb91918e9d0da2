package kernels

import "math"

// The element and scale formats of the Open Compute Project's Microscaling (MX)
// specification, version 1.0. Files have them, loratool only reads them.

// DecodeF8E8M0 decodes powers of two, 2^(code−127). Code 255 is NaN.
func DecodeF8E8M0(dst []float32, src []byte) {
	checkBytes("DecodeF8E8M0", len(dst), 1, len(src))
	for i, b := range src {
		switch b {
		case 0: // 2⁻¹²⁷ is a subnormal float32
			dst[i] = math.Float32frombits(1 << 22)
		case 255:
			dst[i] = math.Float32frombits(f32NaN)
		default:
			dst[i] = math.Float32frombits(uint32(b) << 23)
		}
	}
}

// DecodeF4 decodes 4-bit floats with 2 exponent bits and 1 mantissa bit, two to a
// byte, the low nibble first:
//
//	for i := range dst {
//		dst[i] = value[src[i/2]>>(4*(i%2))&15]
//	}
//
// with 0, ½, 1, 1½, 2, 3, 4, 6 for the codes 0 to 7, and their negatives for 8 to
// 15. src has (len(dst)+1)/2 bytes.
func DecodeF4(dst []float32, src []byte) {
	checkBytes("DecodeF4", (len(dst)+1)/2, 1, len(src))
	for i := range dst {
		dst[i] = f4Values[src[i/2]>>(4*(i%2))&15]
	}
}

var f4Values = [16]float32{
	0, 0.5, 1, 1.5, 2, 3, 4, 6,
	float32(math.Copysign(0, -1)), -0.5, -1, -1.5, -2, -3, -4, -6,
}
