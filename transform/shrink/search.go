package shrink

import (
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// searchSteps is how many scales are tried for a group of integers, between the one
// that nothing is cut off at and searchLeast times that.
const (
	searchSteps = 24
	searchLeast = 0.55
)

// searchInt4 replaces the peak of each group by the scale, rounded to a number format,
// that makes the square error of codes from −8 to 7 least: the best of some multiples
// of peak/7, improved by the scale that is best for the codes it gives,
//
//	s = Σ w·q / Σ q²
//
// for as long as that lowers the error.
func searchInt4(peaks, x []float32, group int, half formats.DType) {
	tries := formats.BorrowFloats(searchSteps)
	defer formats.ReturnFloats(tries)
	for i, peak := range peaks {
		if peak == 0 {
			continue
		}
		part := x[i*group:][:group]
		for step := range tries {
			tries[step] = peak / 7 * (1 - (1-searchLeast)*float32(step)/searchSteps)
		}
		roundTo(half, tries)
		best, least, ideal := tries[0], float32(math.Inf(1)), float32(0)
		try := func(s float32) (better bool) {
			if !(s > 0) {
				return false
			}
			failure, xq, qq := kernels.FitInt4(part, s)
			if better = failure < least; better {
				best, least, ideal = s, failure, xq/qq
			}
			return better
		}
		for _, s := range tries {
			try(s)
		}
		for range 3 {
			tries[0] = ideal
			roundTo(half, tries[:1])
			if !try(tries[0]) {
				break
			}
		}
		peaks[i] = best
	}
}

// searchE2M1 replaces the scale of each group of 4-bit floats by the one of its
// neighbours that makes the square error least. candidate returns the scale so many
// codes away from that of group i, choose is told which was taken.
func searchE2M1(scales, x []float32, group int, candidate func(i, step int) (float32, bool), choose func(i, step int)) {
	for i := range scales {
		part := x[i*group:][:group]
		best, least, scale := 0, float32(math.Inf(1)), scales[i]
		for _, step := range []int{0, -1, 1, -2, 2, -3} {
			s, ok := candidate(i, step)
			if !ok {
				continue
			}
			if failure := kernels.FitE2M1(part, s); failure < least {
				best, least, scale = step, failure, s
			}
		}
		scales[i] = scale
		if best != 0 {
			choose(i, best)
		}
	}
}
