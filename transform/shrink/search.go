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
	q := formats.BorrowFloats(group)
	defer formats.ReturnFloats(q)
	one := make([]float32, 1)
	round := func(s float32) float32 {
		one[0] = s
		roundTo(half, one)
		return one[0]
	}
	for i, peak := range peaks {
		if peak == 0 {
			continue
		}
		part := x[i*group:][:group]
		best, least := float32(0), math.Inf(1)
		for step := range searchSteps {
			s := round(peak / 7 * (1 - (1-searchLeast)*float32(step)/searchSteps))
			if e := int4Error(part, s, q); e < least {
				best, least = s, e
			}
		}
		for range 3 {
			int4Error(part, best, q)
			var wq, qq float64
			for j, v := range q {
				wq += float64(v) * float64(part[j])
				qq += float64(v) * float64(v)
			}
			if qq == 0 {
				break
			}
			s := round(float32(wq / qq))
			e := int4Error(part, s, q)
			if !(e < least) {
				break
			}
			best, least = s, e
		}
		peaks[i] = best
	}
}

// int4Error returns the square error of a group with a scale, and leaves the codes in q.
func int4Error(x []float32, s float32, q []float32) (sum float64) {
	if s <= 0 {
		return math.Inf(1)
	}
	r := 1 / s
	const magic = 3 << 22 // rounds to an integer, to nearest even
	for i, v := range x {
		c := max(-8, min(v*r, 7)) + magic - magic
		q[i] = c
		d := v - float32(c*s)
		sum += float64(float32(d * d))
	}
	return sum
}

// searchE2M1 replaces the scale of each group of 4-bit floats by the one of its
// neighbours that makes the square error least. candidate returns the scale so many
// codes away from that of group i, choose is told which was taken.
func searchE2M1(scales, x []float32, group int, candidate func(i, step int) (float32, bool), choose func(i, step int)) {
	var codes [mxGroup / 2]byte
	var y [mxGroup]float32
	for i := range scales {
		part := x[i*group:][:group]
		best, least, scale := 0, math.Inf(1), scales[i]
		for _, step := range []int{0, -1, 1, -2, 2, -3} {
			s, ok := candidate(i, step)
			if !ok {
				continue
			}
			one := [1]float32{s}
			kernels.EncodeE2M1Groups(codes[:group/2], part, one[:], group)
			kernels.DecodeF4(y[:group], codes[:group/2])
			var sum float64
			for j, v := range part {
				d := v - float32(y[j]*s)
				sum += float64(float32(d * d))
			}
			if sum < least {
				best, least, scale = step, sum, s
			}
		}
		scales[i] = scale
		if best != 0 {
			choose(i, best)
		}
	}
}
