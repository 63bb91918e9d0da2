package kernels

// An iqBlock is what the IQ2 and IQ3 quantizers work on: one sub-block at a time
// of a block of 256 values.
//
// A block whose mean square is not finite is stored as zeros: with it no error can be
// told from another.
type iqBlock struct {
	x      [32]float32 // the values, made positive; with even signs one may be negative
	w      [32]float32 // their importance
	root   [32]float32 // its square root
	trials gridTrials
	points [8]uint16 // chosen for the groups, packed
	signs  [4]uint8  // a bit for every value that was made positive
}

// weigh sets w and root for the sub-block x: the importance from the imatrix times
// √(energy+x²), or floor+x² if there is no imatrix.
func (s *iqBlock) weigh(x, importance []float32, energy, floor float32) {
	for i, v := range x {
		square := float32(v * v)
		if importance != nil {
			s.w[i] = float32(importance[i] * sqrt32(energy+square))
		} else {
			s.w[i] = floor + square
		}
		s.root[i] = sqrt32(s.w[i])
	}
}

// setSigns sets x and signs, a bit per value.
func (s *iqBlock) setSigns(x []float32) {
	for g := range len(x) / 8 {
		var bits uint8
		for i, v := range x[8*g : 8*g+8] {
			if !(v >= 0) {
				v = -v
				bits |= 1 << i
			}
			s.x[8*g+i] = v
		}
		s.signs[g] = bits
	}
}

// setEvenSigns sets x and signs so that every 8 values have an even number of sign
// bits, of which the last then need not be stored. Where the number is odd, the
// value that matters least gets the wrong sign; it stays negative.
func (s *iqBlock) setEvenSigns(x []float32) {
	s.setSigns(x)
	for g := range len(x) / 8 {
		if parity8(s.signs[g]) != 0 {
			least, at := float32(0), 0
			for i, v := range x[8*g : 8*g+8] {
				if loss := float32(float32(s.w[8*g+i]*v) * v); i == 0 || loss < least {
					least, at = loss, i
				}
			}
			s.x[8*g+at] = -s.x[8*g+at]
			s.signs[g] ^= 1 << at
		}
		s.signs[g] &= 0x7f
	}
}

// parity8 returns 1 if the number of bits set is odd.
func parity8(b uint8) uint8 {
	b ^= b >> 4
	return 0x96>>(b&7)&1 ^ b>>3&1
}

// peak returns the greatest of the first n values.
func (s *iqBlock) peak(n int) float32 {
	peak := s.x[0]
	for _, v := range s.x[1:n] {
		if !(peak > v) {
			peak = v
		}
	}
	return peak
}

// flipIfNegative returns a scale that is not negative, for the opposite signs if
// need be: they are stored without one.
func (s *iqBlock) flipIfNegative(scale float32, n int, signMask uint8) float32 {
	if scale < 0 {
		for g := range n / 8 {
			s.signs[g] = ^s.signs[g] & signMask
		}
		return -scale
	}
	return scale
}

// blockScale turns the sub-blocks' scales into 4-bit (or 3-bit) numbers n ≤ top
// that mean (2·n+1)·d, and returns d, or false if all scales are zero.
func blockScale(numbers []uint8, scales []float32, top int32) (d float32, ok bool) {
	var peak float32
	for _, s := range scales {
		if !(peak > s) {
			peak = s
		}
	}
	if peak == 0 {
		return 0, false
	}
	d = peak / float32(2*top+1)
	inverse := 1 / d
	for i, s := range scales {
		numbers[i] = uint8(nearestLevel(0.5*(float32(inverse*s)-1), 0, top))
	}
	return d, true
}
