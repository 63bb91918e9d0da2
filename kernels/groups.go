package kernels

import (
	"fmt"
	"math"
)

// Kernels for checkpoints whose codes and scales are tensors of their own. A group is
// group consecutive values that share a scale; the last one may be shorter.

// PeakGroups sets peaks[i] to the greatest magnitude of the i-th group:
//
//	for i, v := range x {
//		peaks[i/group] = max(peaks[i/group], |v|)
//	}
//
// beginning with 0, and passing over NaNs. It panics unless there is one peak a group.
func PeakGroups(peaks, x []float32, group int) {
	checkGroups("PeakGroups", len(peaks), len(x), group)
	peakGroups(peaks, x, group)
}

func peakGroupsGeneric(peaks, x []float32, group int) {
	for i := range peaks {
		peaks[i] = absPeak(x[i*group : min((i+1)*group, len(x))])
	}
}

// DivideGroups divides each group by its scale:
//
//	for i, v := range x {
//		dst[i] = v / scales[i/group]
//	}
//
// but gives 0 where the scale is 0. dst may be x.
func DivideGroups(dst, x, scales []float32, group int) {
	checkGroups("DivideGroups", len(scales), len(x), group)
	for i, s := range scales {
		part := x[i*group : min((i+1)*group, len(x))]
		out := dst[i*group:][:len(part)]
		if s == 0 {
			clear(out)
			continue
		}
		divide(out, part, s)
	}
}

func divideGeneric(dst, x []float32, s float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v / s
	}
}

// EncodeLevels rounds values to integers, to nearest even, limits them to [lo, hi], and
// stores them as bytes, plus an offset:
//
//	for i, v := range x {
//		dst[i] = uint8(min(max(roundToEven(v), lo), hi) + offset)
//	}
//
// NaNs become lo. lo and hi are within ±2²¹.
func EncodeLevels(dst []uint8, x []float32, lo, hi, offset int) {
	checkBytes("EncodeLevels", len(x), 1, len(dst))
	encodeLevels(dst, x, lo, hi, offset)
}

// roundingMagic is added to a number below 2²² and subtracted again to round it to an
// integer, to nearest even.
const roundingMagic = 3 << 22

func encodeLevelsGeneric(dst []uint8, x []float32, lo, hi, offset int) {
	low, high := float32(lo), float32(hi)
	for i, v := range x {
		if !(v > low) {
			v = low
		}
		if v > high {
			v = high
		}
		dst[i] = uint8(int32(math.Float32bits(v+roundingMagic)) - int32(math.Float32bits(roundingMagic)) + int32(offset))
	}
}

// PackNibbles stores levels below 16 two to a byte, the first of two in the low half.
func PackNibbles(dst []byte, levels []uint8) {
	checkBytes("PackNibbles", (len(levels)+1)/2, 1, len(dst))
	for i := range len(levels) / 2 {
		dst[i] = levels[2*i] | levels[2*i+1]<<4
	}
	if n := len(levels); n%2 == 1 {
		dst[n/2] = levels[n-1]
	}
}

// EncodeE2M1Groups stores values over their scales as 4-bit floats, two to a byte, the
// first of two in the low half. Each gets the code that is nearest to it, of two equally
// near ones that of the smaller magnitude; see [DecodeF4]. Groups of scale 0 get zeros.
// Scales are at least 0, and group is even.
func EncodeE2M1Groups(dst []byte, x, scales []float32, group int) {
	checkGroups("EncodeE2M1Groups", len(scales), len(x), group)
	checkBytes("EncodeE2M1Groups", (len(x)+1)/2, 1, len(dst))
	for i, s := range scales {
		lo, hi := i*group, min((i+1)*group, len(x))
		out := dst[lo/2 : (hi+1)/2]
		clear(out)
		if s == 0 {
			continue
		}
		var middle [7]uint32
		for j, m := range e2m1Middles {
			middle[j] = math.Float32bits(m * (s / 2))
		}
		for j, v := range x[lo:hi] {
			out[j/2] |= e2m1Code(v, &middle) << (4 * (j % 2))
		}
	}
}

func checkGroups(name string, groups, n, group int) {
	if group <= 0 || groups != (n+group-1)/group {
		panic(fmt.Sprintf("kernels: %s of %d values in groups of %d with %d scales", name, n, group, groups))
	}
}
