//go:build !purego

package kernels

import "unsafe"

// The quantizers work on 8 or 16 blocks at a time, a block in each lane of a vector:
// every lane does what the generic code does, in the same order, so that the bits are
// the same, and nothing is ever summed across lanes. The kernels below do the loops
// over values; what is done once for each of a block's scales is left to Go.
//
// A kernel reports lanes as wild where it can't vouch for the bits, because a number
// was not finite, or too large to be rounded by instruction as by nearestInt. The
// generic code does such blocks again.
//
// Arrays of values are columns: [i·lanes+j] belongs to the j-th lane's value i. Arrays
// of one number for each lane have room for 16, whatever the number in use.

// useLanes says whether there are instructions for the kernels.
func useLanes() bool { return useAVX2 || useAVX512 }

// laneCount returns how many lanes to use for that many blocks, or 0 for none.
func laneCount(blocks int) int {
	switch {
	case useAVX512 && blocks > 8:
		return 16
	case useLanes() && blocks > 1:
		return 8
	}
	return 0
}

// perLane is one number for each lane.
type perLane = [16]float32

// aligned holds a T, and shifts it to the start of a cache line: vectors that lie across
// two lines cost AVX-512 a fifth of its speed. T must not hold pointers.
type aligned[T any] struct {
	value T
	_     [63]byte
}

func (a *aligned[T]) get() *T {
	p := unsafe.Pointer(&a.value)
	return (*T)(unsafe.Add(p, -uintptr(p)&63))
}

// loadColumns transposes n values of each block in src[i:], src[i+stride:] and so on
// to columns. If there are fewer blocks than lanes the last one takes their places.
func loadColumns(dst *float32, src []float32, i, stride, blocks, n, lanes int) {
	var rows [16]*float32
	for j := range lanes {
		rows[j] = &src[i+min(j, blocks-1)*stride : i+min(j, blocks-1)*stride+n][0]
	}
	transpose(dst, 4*lanes, &rows, n, lanes)
}

// weightRows returns where the importance of n values at src[i], src[i+stride] and so on
// is, in rows of rowLen.
func weightRows(weights []float32, i, stride, blocks, n, rowLen, lanes int) (rows [16]*float32) {
	c := i % rowLen
	for j := range lanes {
		rows[j] = &weights[c : c+n][0]
		if j < blocks-1 {
			if c += stride; c >= rowLen {
				c -= rowLen
			}
		}
	}
	return rows
}

// transpose writes n values of each of the rows as columns that lie stride bytes
// apart: column i is (*[lanes]float32)(dst + i·stride).
func transpose(dst *float32, stride int, rows *[16]*float32, n, lanes int) {
	if lanes == 16 {
		transposeAVX512(dst, stride, rows, n)
	} else {
		transposeAVX2(dst, stride, rows, n)
	}
}
