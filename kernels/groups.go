package kernels

import "fmt"

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

// EncodeLevels rounds values to integers, to nearest even, limits them to [lo, hi], and
// stores them as bytes, plus an offset:
//
//	for i, v := range x {
//		dst[i] = uint8(min(max(roundToEven(v), lo), hi) + offset)
//	}
//
// NaNs become lo. lo, hi and offset are within ±255.
func EncodeLevels(dst []uint8, x []float32, lo, hi, offset int) {
	checkBytes("EncodeLevels", len(x), 1, len(dst))
	encodeLevels(dst, x, float32(lo), float32(hi), float32(offset))
}

// PackNibbles stores levels below 16 two to a byte, the first of two in the low half.
func PackNibbles(dst []byte, levels []uint8) {
	checkBytes("PackNibbles", (len(levels)+1)/2, 1, len(dst))
	joinNibbles(dst, levels, 1, 16)
}

// levelChunk is how many levels are made before they are packed, unless a group has more.
// It is even, so that chunks begin at a byte.
const levelChunk = 1024

// encodeNibbles stores the levels of values two to a byte: the first of two times first,
// and the second times second. levelsOf makes the levels of whole groups, or of a part of
// one that is taken for all of it.
func encodeNibbles(dst []byte, x, scales []float32, group int, levelsOf func(levels []uint8, x, scales []float32, group int), first, second uint8) {
	var levels [levelChunk]uint8
	for lo := 0; lo < len(x); {
		i := lo / group
		hi, last := min(lo+levelChunk, (i+1)*group, len(x)), i+1 // a part of a large group
		if group <= levelChunk {
			last = min(i+levelChunk/group, len(scales))
			hi = min(last*group, len(x))
		}
		levelsOf(levels[:hi-lo], x[lo:hi], scales[i:last], min(group, levelChunk))
		joinNibbles(dst[lo/2:][:(hi-lo+1)/2], levels[:hi-lo], first, second)
		lo = hi
	}
}

// EncodeE2M1Groups stores values over their scales as 4-bit floats, two to a byte, the
// first of two in the low half. Each gets the code that is nearest to it, of two equally
// near ones that of the smaller magnitude; see [DecodeF4]. Groups of scale 0 get zeros.
// Scales are at least 0, and group is even.
func EncodeE2M1Groups(dst []byte, x, scales []float32, group int) {
	checkGroups("EncodeE2M1Groups", len(scales), len(x), group)
	checkBytes("EncodeE2M1Groups", (len(x)+1)/2, 1, len(dst))
	encodeNibbles(dst, x, scales, group, e2m1Levels, 1, 16)
}

func checkGroups(name string, groups, n, group int) {
	if group <= 0 || groups != (n+group-1)/group {
		panic(fmt.Sprintf("kernels: %s of %d values in groups of %d with %d scales", name, n, group, groups))
	}
}
