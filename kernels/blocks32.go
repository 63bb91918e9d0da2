package kernels

// What Q4_0, Q4_1, Q5_0 and Q5_1 have in common: blocks of 32 values with levels of
// four or five bits, with or without a min.

// fitPeak sets levels of 0..2·half-1 for x ≈ d·(level−half), with the d that brings
// the value of the greatest magnitude to level 0.
func fitPeak(levels *[32]uint8, x []float32, half int32) (d float32) {
	peak, _ := absMax(x)
	d = peak / float32(-half) // -0 for a block of zeros, as in the reference
	inverse := reciprocal(d)
	for i, v := range x[:32] {
		l := int8(truncate(float32(v*inverse) + (float32(half) + 0.5)))
		levels[i] = uint8(min(int32(l), 2*half-1))
	}
	return d
}

// fitRange sets levels of 0..top for x ≈ d·level + lo, with the d that brings the
// greatest value to level top.
func fitRange(levels *[32]uint8, x []float32, top int32) (d, lo float32) {
	lo, hi := rangeOf(x)
	d = (hi - lo) / float32(top)
	inverse := reciprocal(d)
	for i, v := range x[:32] {
		l := int8(truncate(float32((v-lo)*inverse) + 0.5))
		levels[i] = uint8(min(int32(l), top))
	}
	return d, lo
}

// rangeOf returns the least and the greatest x[i]. NaNs are passed over.
func rangeOf(x []float32) (lo, hi float32) {
	const most = 0x1.fffffep127
	lo, hi = most, -most
	for _, v := range x {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	return lo, hi
}

// fitPeakWeighted is fitPeak with a search for d.
func fitPeakWeighted(levels *[32]uint8, x, w []float32, half int32) (d float32) {
	f := fitSymmetric(x, w, half)
	for i, v := range x[:32] {
		levels[i] = f.level(v, half)
	}
	return f.scale
}

// fitRangeWeighted is fitRange with a search for d and lo.
func fitRangeWeighted(levels *[32]uint8, x, w []float32, s *affineSearch) (d, lo float32) {
	f := s.fit(x, w)
	for i, v := range x[:32] {
		levels[i] = f.level(v, s.top)
	}
	return f.scale, f.min
}

// rowSpread returns Σx²/n of a row.
func rowSpread(row []float32) float32 { return float32(sumSquares32(row) / float32(len(row))) }
