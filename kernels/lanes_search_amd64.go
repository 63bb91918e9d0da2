//go:build !purego

package kernels

// The assembly knows the layout of these structs by the offsets in _asm/quant.

// affineLanes are the affineFits of the lanes.
type affineLanes struct {
	scale, min, inverse, base perLane
	wild                      uint32
	_                         [15]uint32
	_                         [7]perLane // used by the search
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
		t.widths[i] = s.width(i)
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
		fitAffineAbsolutePairAVX2(&f[0].scale[0], x, w, scratch, n, &s.top)
	default:
		fitAffinePairAVX2(&f[0].scale[0], x, w, scratch, n, &s.top)
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

// symmetricLanes are the symmetricFits of the lanes.
type symmetricLanes struct {
	scale, inverse perLane
	wild           uint32
	_              [15]uint32
}

// symmetricSteps are the trial scales of fitSymmetric: what the value of the greatest
// magnitude is brought to.
type symmetricSteps struct {
	half float32
	ends [19]float32
}

func newSymmetricSteps(half float32) *symmetricSteps {
	return &symmetricSteps{half, symmetricEnds(half)}
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

// settledLanes are the results of fitDescent for a group of columns in the lanes where it
// changes no level. Those where it does are open. nonzero is 0 for groups of zeros.
type settledLanes struct {
	scale, nonzero perLane
	wild, open     uint32
}

// find sets f for 16 columns.
func (f *settledLanes) find(x *float32, half float32, lanes int) {
	if lanes == 16 {
		settleDescentAVX512(&f.scale[0], x, half)
	} else {
		settleDescentAVX2(&f.scale[0], x, half)
	}
}

// descentLanes are the results of fitDescent for two groups of columns. Behind the
// scales the assembly writes a 0 for each group of zeros, which nobody asks for.
type descentLanes struct {
	scale [2]perLane
	_     [2]perLane
	wild  uint32
}

// fit is fitDescent of twice 16 columns. products and levels are room for as many.
func (f *descentLanes) fit(x, w, products, levels *float32, half float32, lanes int) {
	if lanes == 16 {
		fitDescentAVX512(&f.scale[0][0], x, w, products, levels, half)
	} else {
		fitDescentAVX2(&f.scale[0][0], x, w, products, levels, half)
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
