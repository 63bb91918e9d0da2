package kernels

import "math"

// The IQ1 formats approximate a value by scale·(t+δ), where t is -1, 0 or 1 and δ
// is 1/8 or -1/8 for a whole sub-block (IQ1_S) or half of one (IQ1_M). For given
// values the best choice is found exactly: in ascending order the values with t =
// -1 come first and those with t = 1 last, so that it is enough to try all pairs of
// places where one kind ends and the next begins.

// iq1Delta is δ.
const iq1Delta = 0.125

// iq1Values are t+δ: for δ > 0, then for δ < 0.
var iq1Values = [2][3]float32{
	{-1 + iq1Delta, iq1Delta, 1 + iq1Delta},
	{-1 - iq1Delta, -iq1Delta, 1 - iq1Delta},
}

// An iq1Block is what the IQ1 quantizers work on: one sub-block at a time.
type iq1Block struct {
	w      [32]float32
	order  [32]uint8 // the places of the values in ascending order, equal values as they come
	levels [32]uint8 // t+1
	split  iq1Split
	scan   iq1Scan
}

// An iq1Scan is the working memory of the search for a split. The assembly knows the
// layout.
type iq1Scan struct {
	// sums are those of the first values and weights in ascending order: by how many
	// they are, from 0 on. For IQ1_S the rows are the values' and the weights', for
	// IQ1_M the values' and the weights' of either half. Behind the last sum the
	// weights' rows have NaNs.
	sums  [4][48]float32
	wide  [4][80]float32
	lanes [2][8]float32
	scale float32
	low   int32
	high  int32 // the high place times the number of choices of δ, plus the choice
}

// An iq1Split says that in ascending order values [0, low) have t = -1, [low, high)
// 0, and the rest 1, with which scale. shift numbers the choices of δ; it is -1 if no
// split is any good.
type iq1Split struct {
	low, high, shift int
	scale            float32
}

// weigh sets w for the sub-block x.
func (s *iq1Block) weigh(x, importance []float32, energy float32) {
	for i, v := range x {
		square := float32(v * v)
		if importance != nil {
			square = float32(importance[i] * sqrt32(energy+square))
		}
		s.w[i] = square
	}
}

// setLevels sets the levels from the split. A negative scale is made positive, with
// the levels and δ turned round: choice shift becomes shifts-1-shift.
func (s *iq1Block) setLevels(n, shifts int) {
	for i, at := range s.order[:n] {
		switch {
		case i < s.split.low:
			s.levels[at] = 0
		case i < s.split.high:
			s.levels[at] = 1
		default:
			s.levels[at] = 2
		}
	}
	if s.split.scale < 0 {
		for i := range s.levels[:n] {
			s.levels[i] = 2 - s.levels[i]
		}
		s.split.scale = -s.split.scale
		s.split.shift = shifts - 1 - s.split.shift
	}
}

// nearest returns the point for group g of x, whose values t+δ are q, and whether it
// is that of its levels.
func (s *iq1Block) nearest(x []float32, g int, q *[3]float32) (point uint16, exact bool) {
	cell := 0
	for i := 7; i >= 0; i-- {
		cell = 3*cell + int(s.levels[8*g+i])
	}
	if c := iq1Book.cells[cell]; c&offGrid == 0 {
		return uint16(c), true
	}
	var value [8]float32
	for l, v := range q {
		value[l] = float32(s.split.scale * v)
	}
	return iq1Book.nearest(cell, x[8*g:8*g+8], s.w[8*g:8*g+8], &value), false
}

// peakMagnitude returns max |x|.
func peakMagnitude(x []float32) float32 {
	peak := abs32(x[0])
	for _, v := range x[1:] {
		if a := abs32(v); !(peak > a) {
			peak = a
		}
	}
	return peak
}

// sumS sets the sums for IQ1_S.
func (s *iq1Block) sumS(x []float32) {
	x = x[:32]
	sumX, sumW := &s.scan.sums[0], &s.scan.sums[1]
	var xSum, wSum float32
	for i, at := range s.order {
		w := s.w[at&31]
		xSum += float32(w * x[at&31])
		wSum += w
		sumX[i+1], sumW[i+1] = xSum, wSum
	}
	for i := 33; i < 36; i++ {
		sumW[i] = math.Float32frombits(f32NaN)
	}
}

// sumM sets the sums for IQ1_M.
func (s *iq1Block) sumM(x []float32) {
	x = x[:16]
	var sumX, sumW [2]float32
	sums := &s.scan.sums
	for i, at := range s.order[:16] {
		half := at / 8 & 1
		w := s.w[at&15]
		sumX[half] += float32(w * x[at&15])
		sumW[half] += w
		sums[0][i+1], sums[1][i+1] = sumX[0], sumX[1]
		sums[2][i+1], sums[3][i+1] = sumW[0], sumW[1]
	}
	nan := math.Float32frombits(f32NaN)
	sums[2][17], sums[3][17] = nan, nan
}
