package kernels

import "math"

// A minifloat is an 8-bit float format: a sign, an exponent and a mantissa.
type minifloat struct {
	mantissa int  // bits of the mantissa
	bias     int  // of the exponent
	max      byte // the greatest finite number
	overflow byte // what lies beyond max: infinity, or max itself
	fnuz     bool // 0x80 is NaN, and there is no negative zero
	values   [256]float32
}

var (
	f8E4M3     = newMinifloat(minifloat{mantissa: 3, bias: 7, max: 0x7e, overflow: 0x7e})
	f8E5M2     = newMinifloat(minifloat{mantissa: 2, bias: 15, max: 0x7b, overflow: 0x7c})
	f8E4M3FNUZ = newMinifloat(minifloat{mantissa: 3, bias: 8, max: 0x7f, overflow: 0x7f, fnuz: true})
	f8E5M2FNUZ = newMinifloat(minifloat{mantissa: 2, bias: 16, max: 0x7f, overflow: 0x7f, fnuz: true})
)

// newMinifloat fills in the value of every code.
func newMinifloat(f minifloat) *minifloat {
	for i := range f.values {
		code := byte(i)
		abs := code & 0x7f
		frac := int(abs & (1<<f.mantissa - 1))
		exp := int(abs >> f.mantissa)
		switch {
		case exp == 0: // subnormal
			exp = 1
		default:
			frac |= 1 << f.mantissa
		}
		v := float32(math.Ldexp(float64(frac), exp-f.bias-f.mantissa))
		switch {
		case f.fnuz && code == 0x80:
			v = math.Float32frombits(f32NaN)
		case abs > f.overflow:
			v = math.Float32frombits(f32NaN | uint32(abs)<<(23-f.mantissa)&(f32Quiet-1))
		case abs > f.max:
			v = float32(math.Inf(1))
		}
		if code != abs && !(f.fnuz && abs == 0) {
			v = math.Float32frombits(math.Float32bits(v) | f32Sign)
		}
		f.values[i] = v
	}
	return &f
}

func (f *minifloat) decode(dst []float32, src []byte) {
	for i, b := range src {
		dst[i] = f.values[b]
	}
}

func (f *minifloat) encode(dst []byte, src []float32) {
	for i, v := range src {
		dst[i] = f.round(v)
	}
}

// round returns the code nearest to v, ties to even.
func (f *minifloat) round(v float32) byte {
	u := math.Float32bits(v)
	sign := byte(u>>24) & 0x80
	u &^= f32Sign
	if u > f32Inf {
		return f.nan(sign, u)
	}
	drop := 23 - f.mantissa // bits of the float32 mantissa that don't fit
	var code uint32
	if smallest := uint32(128-f.bias) << 23; u < smallest {
		// Below the smallest normal number codes count steps of the size of the
		// last place. Adding a power of two with that last place makes the adder
		// round to it, and leaves the count in the low bits.
		magic := uint32(128-f.bias+drop) << 23
		sum := math.Float32frombits(u) + math.Float32frombits(magic)
		code = math.Float32bits(sum) - magic
	} else {
		u -= uint32(127-f.bias) << 23
		u += 1<<(drop-1) - 1 + u>>drop&1
		code = u >> drop
	}
	if code > uint32(f.max) {
		code = uint32(f.overflow)
	}
	if f.fnuz && code == 0 {
		return 0
	}
	return sign | byte(code)
}

// nan returns the NaN for the float32 NaN of the given sign and magnitude.
func (f *minifloat) nan(sign byte, u uint32) byte {
	switch {
	case f.fnuz:
		return 0x80
	case f.overflow == f.max: // one NaN per sign
		return sign | 0x7f
	}
	quiet := u | f32Quiet
	return sign | f.overflow | byte(quiet>>(23-f.mantissa))&(1<<f.mantissa-1)
}

func decodeF8E4M3Generic(dst []float32, src []byte) { f8E4M3.decode(dst, src) }
func encodeF8E4M3Generic(dst []byte, src []float32) { f8E4M3.encode(dst, src) }
