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

// laneCount returns how many lanes to use for that many blocks, or 0 for none.
func laneCount(blocks int) int {
	switch {
	case useAVX512 && blocks > 8:
		return 16
	case (useAVX512 || useAVX2) && blocks > 1:
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

// loadWeights does the same with the importance of the values at src[i], src[i+stride]
// and so on, in rows of rowLen.
func loadWeights(dst *float32, weights []float32, i, stride, blocks, n, rowLen, lanes int) {
	var rows [16]*float32
	for j := range lanes {
		rows[j] = &blockWeights(weights, i+min(j, blocks-1)*stride, rowLen, n)[0]
	}
	transpose(dst, 4*lanes, &rows, n, lanes)
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

// sumSquaresLanes adds Σx² of n columns to sum.
func sumSquaresLanes(sum *perLane, x *float32, n, lanes int) {
	if lanes == 16 {
		sumSquaresLanesAVX512(sum, x, n)
	} else {
		sumSquaresLanesAVX2(sum, x, n)
	}
}

func deviationWeightsLanes(w, x *float32, n int, perN float32, lanes int) {
	if lanes == 16 {
		deviationWeightsAVX512(w, x, n, perN)
	} else {
		deviationWeightsAVX2(w, x, n, perN)
	}
}

func importanceWeightsLanes(w *float32, sum *perLane, x, importance *float32, sigma2 *perLane, n, lanes int) {
	if lanes == 16 {
		importanceWeightsAVX512(w, sum, x, importance, sigma2, n)
	} else {
		importanceWeightsAVX2(w, sum, x, importance, sigma2, n)
	}
}

func squareWeightsLanes(w, x *float32, n, lanes int) {
	if lanes == 16 {
		squareWeightsAVX512(w, x, n)
	} else {
		squareWeightsAVX2(w, x, n)
	}
}

// affineLanes are the affineFits of the lanes.
type affineLanes struct {
	scale, min, inverse, base perLane
	wild                      uint32
	_                         [15]uint32
	_                         [5]perLane // used by the search
}

// affineSteps are the trial scales of an affineSearch: the widths of x in levels, in
// increasing order. The first of them, free in number, can't give levels above the top
// even before they are clamped.
type affineSteps struct {
	top         float32
	_           uint32
	count, free int
	_           [10]uint32
	widths      [37]float32
	absolute    bool
}

func (s *affineSearch) lanes() *affineSteps {
	t := &affineSteps{top: float32(s.top), count: s.steps + 1, absolute: s.absolute}
	for i := range t.count {
		t.widths[i] = s.start + float32(s.step*float32(i)) + t.top
		if t.widths[i] < t.top+0.499 {
			t.free++
		}
	}
	return t
}

// fit is affineSearch.fit of two groups of n columns. scratch is room for as many.
func (s *affineSteps) fit(f *[2]affineLanes, x, w, scratch *float32, n, lanes int) {
	switch {
	case lanes == 16 && s.absolute:
		fitAffineAbsolutePairAVX512(&f[0].scale[0], x, w, scratch, n, &s.top)
	case lanes == 16:
		fitAffinePairAVX512(&f[0].scale[0], x, w, scratch, n, &s.top)
	case s.absolute:
		fitAffineAbsoluteAVX2(&f[0].scale[0], x, w, scratch, n, &s.top)
		fitAffineAbsoluteAVX2(&f[1].scale[0], behind(x, n*lanes), behind(w, n*lanes), scratch, n, &s.top)
	default:
		fitAffineAVX2(&f[0].scale[0], x, w, scratch, n, &s.top)
		fitAffineAVX2(&f[1].scale[0], behind(x, n*lanes), behind(w, n*lanes), scratch, n, &s.top)
	}
}

// fitOne is affineSearch.fit of n columns. scratch is room for as many.
func (s *affineSteps) fitOne(f *affineLanes, x, w, scratch *float32, n, lanes int) {
	if lanes == 16 {
		fitAffineAVX512(&f.scale[0], x, w, scratch, n, &s.top)
	} else {
		fitAffineAVX2(&f.scale[0], x, w, scratch, n, &s.top)
	}
}

// behind returns the pointer to the n-th number after x.
func behind(x *float32, n int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(x), 4*n)) }

// symmetricLanes are the symmetricFits of the lanes.
type symmetricLanes struct {
	scale, inverse perLane
	wild           uint32
}

// symmetricSteps are the trial scales of fitSymmetric: what the value of the greatest
// magnitude is brought to.
type symmetricSteps struct {
	half float32
	ends [19]float32
}

func newSymmetricSteps(half float32) *symmetricSteps {
	s := &symmetricSteps{half: half}
	ends := append(s.ends[:0], -half)
	for i := -9; i <= 9; i++ {
		if i != 0 {
			ends = append(ends, -(half + float32(0.1*float32(i))))
		}
	}
	return s
}

// fit is fitSymmetric of n columns. scratch is room for as many.
func (s *symmetricSteps) fit(f *symmetricLanes, x, w, scratch *float32, n, lanes int) {
	if lanes == 16 {
		fitSymmetricAVX512(&f.scale[0], x, w, scratch, n, s.half, &s.ends)
	} else {
		fitSymmetricAVX2(&f.scale[0], x, w, scratch, n, s.half, &s.ends)
	}
}

// positiveLanes are the results of fitPositive for the lanes.
type positiveLanes struct {
	scale perLane
	wild  uint32
	_     [15]uint32
}

// positiveTops are what fitPositive brings the greatest value to.
type positiveTops [9]float32

func newPositiveTops(top float32) *positiveTops {
	t := new(positiveTops)
	tops := append(t[:0], top)
	for i := -4; i <= 4; i++ {
		if i != 0 {
			tops = append(tops, float32(0.1*float32(i))+top)
		}
	}
	return t
}

// fit is fitPositive of n columns. levels receives the levels as numbers, products is
// room for as many columns.
func (t *positiveTops) fit(f *positiveLanes, x, w, products, levels *float32, n, lanes int) {
	if lanes == 16 {
		fitPositiveAVX512(&f.scale[0], x, w, products, levels, n, (*[9]float32)(t))
	} else {
		fitPositiveAVX2(&f.scale[0], x, w, products, levels, n, (*[9]float32)(t))
	}
}

// descentLanes are the results of fitDescent for two groups of columns. nonzero is 0
// for groups of zeros.
type descentLanes struct {
	scale, nonzero [2]perLane
	wild           uint32
}

// fit is fitDescent of twice 16 columns. products and levels are room for as many.
func (f *descentLanes) fit(x, w, products, levels *float32, half float32, lanes int) {
	if lanes == 16 {
		fitDescentAVX512(&f.scale[0][0], x, w, products, levels, half)
	} else {
		fitDescentAVX2(&f.scale[0][0], x, w, products, levels, half)
	}
}

// levelLanes says how to quantize each lane: the level of x is (x+m)/d, or
// (x-base)·inverse where d is 0.
type levelLanes struct {
	d, m, inverse, base perLane
	wild                uint32
}

// set fills in what is stored for a lane. An infinite half float makes it wild.
func (l *levelLanes) set(lane int, d, m float32) (wild uint32) {
	l.d[lane], l.m[lane] = d, m
	if !(abs32(d) <= 0x1.fffffep127 && m <= 0x1.fffffep127) {
		return 1 << lane
	}
	return 0
}

// quantize rounds the levels of n columns, clamps them to lo..hi, counts them from lo,
// and packs four columns into each column of packed. They are 0 where both d and inverse
// are.
func (l *levelLanes) quantize(packed *uint32, x *float32, n int, lo, hi float32, lanes int) {
	if lanes == 16 {
		levelsAVX512(packed, x, &l.d[0], n, lo, hi)
	} else {
		levelsAVX2(packed, x, &l.d[0], n, lo, hi)
	}
}

// iq4Lanes are the results of fitIQ4 for the lanes.
type iq4Lanes struct {
	scale perLane
	wild  uint32
}

// fit is fitIQ4 of n columns.
func (f *iq4Lanes) fit(x, w *float32, n, lanes int) {
	if lanes == 16 {
		fitIQ4AVX512(&f.scale[0], x, w, n)
	} else {
		fitIQ4AVX2(&f.scale[0], x, w, n)
	}
}

// levelsIQ4 sets packed to nearestIQ4(inverse·x) for n columns, four of them in each
// column of packed.
func levelsIQ4(packed *uint32, x *float32, inverse *perLane, n, lanes int) {
	if lanes == 16 {
		levelsIQ4AVX512(packed, x, inverse, n)
	} else {
		levelsIQ4AVX2(packed, x, inverse, n)
	}
}

// wildReciprocal returns reciprocal(x), and the lane's bit if that is not finite.
func wildReciprocal(x float32, lane int) (inverse float32, wild uint32) {
	inverse = reciprocal(x)
	if !(abs32(inverse) <= 0x1.fffffep127) {
		wild = 1 << lane
	}
	return inverse, wild
}
