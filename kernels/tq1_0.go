package kernels

import "encoding/binary"

// TQ1_0 stores 256 values in 54 bytes, 1.6875 bits a value:
//
//	qs  [48]uint8  5 values in a byte: 32 bytes for values 0 to 159, byte i of them
//	               for i, i+32 … i+128, and 16 bytes for values 160 to 239, likewise
//	               at distances of 16
//	qh  [4]uint8   4 values in a byte, at distances of 4: values 240 to 255
//	d   float16
const (
	BlockLenTQ1_0  = superBlock
	BlockSizeTQ1_0 = 54
)

// QuantizeTQ1_0 quantizes rows of src to TQ1_0, with d = max|x| and t = x/d rounded to -1, 0 or 1, halves away from zero. A byte is
// the fraction 0.ttttt in base 3, with digits t+1, in units of 1/256 and rounded up. It
// ignores weights.
func QuantizeTQ1_0(dst []byte, src []float32, rowLen int, weights []float32) {
	checkQuantize("QuantizeTQ1_0", dst, src, rowLen, weights, BlockLenTQ1_0, BlockSizeTQ1_0)
	for ; len(src) > 0; dst, src = dst[BlockSizeTQ1_0:], src[BlockLenTQ1_0:] {
		x := src[:superBlock]
		d, inverse := ternaryScale(x)
		packTrits(dst[:32], x[:160], inverse)
		packTrits(dst[32:48], x[160:240], inverse)
		packTrits(dst[48:52], x[240:256], inverse)
		binary.LittleEndian.PutUint16(dst[52:], halfBits(d))
	}
}

// packTrits stores the digits of x, len(dst) apart in each byte, 4 or 5 to a byte.
func packTrits(dst []byte, x []float32, inverse float32) {
	n := len(dst)
	for i := range dst {
		number, digits := 0, 5
		for ; len(x) > i+n*(5-digits); digits-- {
			number = 3*number + int(trit(x[i+n*(5-digits)], inverse))
		}
		for ; digits > 0; digits-- {
			number *= 3
		}
		dst[i] = uint8((256*number + 242) / 243)
	}
}

// ternaryScale returns max|x| and its inverse, or 0 for zeros.
func ternaryScale(x []float32) (d, inverse float32) {
	d = peakMagnitude(x)
	if !(d > 0) {
		d = 0
	}
	if d != 0 {
		inverse = 1 / d
	}
	return d, inverse
}

// trit returns x·inverse, which is in -1..1, rounded to an integer, plus 1. For blocks
// so small that inverse is infinite it is 1.
func trit(x, inverse float32) uint8 {
	v := x * inverse
	switch {
	case abs32(v) > maxFloat32:
		return 1
	case v >= 0.5:
		return 2
	case v <= -0.5:
		return 0
	}
	return 1
}

// DequantizeTQ1_0 decodes blocks of TQ1_0, see [QuantizeTQ1_0].
func DequantizeTQ1_0(dst []float32, src []byte) {
	checkDequantize("DequantizeTQ1_0", dst, src, BlockLenTQ1_0, BlockSizeTQ1_0)
	for ; len(dst) > 0; dst, src = dst[BlockLenTQ1_0:], src[BlockSizeTQ1_0:] {
		d := halfValue(binary.LittleEndian.Uint16(src[52:]))
		value := [3]float32{-1 * d, 0 * d, 1 * d}
		unpackTrits(dst[:160], src[:32], &value)
		unpackTrits(dst[160:240], src[32:48], &value)
		unpackTrits(dst[240:256], src[48:52], &value)
	}
}

// unpackTrits is the inverse of packTrits: multiplying a fraction by 3 brings its first
// digit before the point.
func unpackTrits(dst []float32, src []byte, value *[3]float32) {
	n := len(src)
	for i, fraction := range src {
		for j := i; j < len(dst); j += n {
			t := uint16(fraction) * 3
			dst[j] = value[t>>8]
			fraction = uint8(t)
		}
	}
}
