package kernels

import (
	"encoding/binary"
	"math"
)

// The definitions of the codes of values, a byte each.

func peakGroupsGeneric(peaks, x []float32, group int) {
	for i := range peaks {
		peaks[i] = absPeak(x[i*group : min((i+1)*group, len(x))])
	}
}

func nf4LevelsGeneric(levels []uint8, x, peaks []float32, group int) {
	levels = levels[:len(x)]
	for g, peak := range peaks {
		inverse := 1 / max(peak, 1e-38)
		for i := g * group; i < min((g+1)*group, len(x)); i++ {
			levels[i] = nf4Code(x[i] * inverse)
		}
	}
}

// e2m1LevelsGeneric gives each value the code that is nearest, and zero where the scale
// is zero.
func e2m1LevelsGeneric(levels []uint8, x, scales []float32, group int) {
	levels = levels[:len(x)]
	for g, scale := range scales {
		lo, hi := g*group, min((g+1)*group, len(x))
		if scale == 0 {
			clear(levels[lo:hi])
			continue
		}
		var middle [7]uint32
		for j, m := range e2m1Middles {
			middle[j] = math.Float32bits(m * (scale / 2))
		}
		for i, v := range x[lo:hi] {
			levels[lo+i] = e2m1Code(v, &middle)
		}
	}
}

func affineLevelsGeneric(levels []uint8, x, scales, biases []float32, group int, high float32) {
	levels = levels[:len(x)]
	for g, scale := range scales {
		bias := biases[g]
		for i := g * group; i < min((g+1)*group, len(x)); i++ {
			levels[i] = uint8(roundLimited((x[i]-bias)/scale, 0, high))
		}
	}
}

func limitedLevelsGeneric(levels []uint8, x []float32, low, high, offset float32) {
	levels = levels[:len(x)]
	for i, v := range x {
		levels[i] = uint8(roundLimited(v, low, high) + int32(offset))
	}
}

// roundLimited limits v to [low, high], within ±2²¹, and rounds it to nearest even. NaN
// becomes low.
func roundLimited(v, low, high float32) int32 {
	if !(v > low) {
		v = low
	}
	if v > high {
		v = high
	}
	const magic = 3 << 22 // has no room for fractions of what is added to it
	return int32(math.Float32bits(v+magic)) - 0x4b400000
}

func divideGeneric(dst, x []float32, s float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v / s
	}
}

func extremesGeneric(x []float32) (low, high float32) {
	low, high = x[0], x[0]
	for _, v := range x[1:] {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	return low, high
}

// eachExtremes sets lows and highs to the extremes of groups, one by one.
func eachExtremes(lows, highs, x []float32, group int) {
	for i := range lows {
		lows[i], highs[i] = extremes(x[i*group : min((i+1)*group, len(x))])
	}
}

// affineEndsGeneric replaces the lowest and highest values of groups by the scales and
// biases of [AffineGroups].
func affineEndsGeneric(scales, biases []float32, top float32) {
	biases = biases[:len(scales)]
	for i, low := range scales {
		high := biases[i]
		s, e := max((high-low)/top, 1e-7), low
		if !(abs32(low) > abs32(high)) {
			s, e = -s, high
		}
		q, b := float32(math.RoundToEven(float64(e/s))), float32(0)
		if q != 0 {
			s, b = e/q, e
		}
		scales[i], biases[i] = s, b
	}
}

// joinNibblesGeneric stores levels below 16 two to a byte, the first of two times first,
// 1 or 16, and the second times second.
func joinNibblesGeneric(dst []byte, levels []uint8, first, second uint8) {
	for ; len(levels) >= 8; dst, levels = dst[4:], levels[8:] {
		v := binary.LittleEndian.Uint64(levels)
		// No product reaches into the next byte.
		binary.LittleEndian.PutUint32(dst, evenBytes(v*uint64(first)|v>>8*uint64(second)))
	}
	for i, v := range levels {
		if i%2 == 0 {
			dst[i/2] = v * first
		} else {
			dst[i/2] |= v * second
		}
	}
}

// evenBytes returns the bytes 0, 2, 4 and 6.
func evenBytes(v uint64) uint32 {
	v &= 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16)
}
