package kernels

import (
	"encoding/binary"
	"fmt"
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
	for i := range peaks {
		peaks[i] = groupPeak(x[i*group : min((i+1)*group, len(x))])
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
	for ; len(levels) >= 8; dst, levels = dst[4:], levels[8:] {
		v := binary.LittleEndian.Uint64(levels)
		binary.LittleEndian.PutUint32(dst, evenBytes(v|v>>4))
	}
	for i, v := range levels {
		if i%2 == 0 {
			dst[i/2] = v
		} else {
			dst[i/2] |= v << 4
		}
	}
}

// packNibblesHighFirst is PackNibbles with the first of two levels in the high half.
func packNibblesHighFirst(dst []byte, levels []uint8) {
	for ; len(levels) >= 8; dst, levels = dst[4:], levels[8:] {
		v := binary.LittleEndian.Uint64(levels)
		binary.LittleEndian.PutUint32(dst, evenBytes(v<<4|v>>8))
	}
	for i, v := range levels {
		if i%2 == 0 {
			dst[i/2] = v << 4
		} else {
			dst[i/2] |= v
		}
	}
}

// evenBytes returns the bytes 0, 2, 4 and 6.
func evenBytes(v uint64) uint32 {
	v &= 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16)
}

// levelChunk is how many levels are made before they are packed. It is even, so that
// chunks begin at a byte.
const levelChunk = 256

// EncodeE2M1Groups stores values over their scales as 4-bit floats, two to a byte, the
// first of two in the low half. Each gets the code that is nearest to it, of two equally
// near ones that of the smaller magnitude; see [DecodeF4]. Groups of scale 0 get zeros.
// Scales are at least 0, and group is even.
func EncodeE2M1Groups(dst []byte, x, scales []float32, group int) {
	checkGroups("EncodeE2M1Groups", len(scales), len(x), group)
	checkBytes("EncodeE2M1Groups", (len(x)+1)/2, 1, len(dst))
	var levels [levelChunk]uint8
	for i, s := range scales {
		for lo, end := i*group, min((i+1)*group, len(x)); lo < end; lo += levelChunk {
			part := x[lo:min(lo+levelChunk, end)]
			if s == 0 {
				clear(levels[:len(part)])
			} else {
				e2m1Levels(levels[:len(part)], part, s/2)
			}
			PackNibbles(dst[lo/2:][:(len(part)+1)/2], levels[:len(part)])
		}
	}
}

func checkGroups(name string, groups, n, group int) {
	if group <= 0 || groups != (n+group-1)/group {
		panic(fmt.Sprintf("kernels: %s of %d values in groups of %d with %d scales", name, n, group, groups))
	}
}
