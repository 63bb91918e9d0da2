package kernels

import "math"

// halfBits rounds x to the nearest IEEE 754 binary16, ties to even. What is too
// large becomes infinite. NaNs lose their payload and, since CPUs don't agree on it,
// their sign.
func halfBits(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return 0x7e00
	case b >= 0x477ff000: // 65520, halfway from the largest half to the next power of two
		return sign | 0x7c00
	case b < 0x38800000: // 2^-14: a subnormal half, a multiple of 2^-24
		// 0.5 has the place value 2^-24 in its last bit: the sum rounds as wanted.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	b += 0xfff + b>>13&1
	return sign | uint16(b>>13-(127-15)<<10)
}

// halfValue returns the value of an IEEE 754 binary16.
func halfValue(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	b := uint32(h & 0x7fff)
	switch {
	case b >= 0x7c00:
		b = b<<13 | 0x7f800000
	case b >= 0x0400:
		b = b<<13 + (127-15)<<23
	default: // subnormal: b·2^-24
		b = math.Float32bits(float32(b) * 0x1p-24)
	}
	return math.Float32frombits(sign | b)
}
