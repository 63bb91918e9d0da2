package kernels

import "math"

// fitLanes is how many sums FitInt4 and FitE2M1 make side by side.
const fitLanes = 16

// FitInt4 says how well 4-bit integers with a scale s > 0 stand for values, and what the
// scale that is best for these integers, xq/qq, is made of:
//
//	q[i] = roundToEven(min(max(x[i] · (1/s), −8), 7))
//	failure = Σ (x[i] − s·q[i])²
//	xq = Σ x[i]·q[i]
//	qq = Σ q[i]²
//
// in float32, with a rounding after each operation. Each sum is made as 16 of every 16th
// value, in order, of which the first half then adds the second, and so on.
func FitInt4(x []float32, s float32) (failure, xq, qq float32) { return fitInt4(x, s) }

func fitInt4Generic(x []float32, s float32) (failure, xq, qq float32) {
	var failures, xqs, qqs [fitLanes]float32
	inverse := 1 / s
	for i, v := range x {
		q := float32(roundLimited(v*inverse, -8, 7))
		d := v - float32(s*q)
		lane := i % fitLanes
		failures[lane] += float32(d * d)
		xqs[lane] += float32(v * q)
		qqs[lane] += float32(q * q)
	}
	return foldLanes(&failures), foldLanes(&xqs), foldLanes(&qqs)
}

func foldLanes(lanes *[fitLanes]float32) float32 {
	for n := fitLanes / 2; n > 0; n /= 2 {
		for i := range n {
			lanes[i] += lanes[i+n]
		}
	}
	return lanes[0]
}

// FitE2M1 returns Σ (x[i] − s·y[i])² with the 4-bit floats y that [EncodeE2M1Groups] makes
// with a scale s ≥ 0, in float32 and as [FitInt4] does.
func FitE2M1(x []float32, s float32) (failure float32) { return fitE2M1(x, s) }

func fitE2M1Generic(x []float32, s float32) float32 {
	var middle [7]uint32
	for i, m := range e2m1Middles {
		middle[i] = math.Float32bits(m * (s / 2))
	}
	var failures [fitLanes]float32
	for i, v := range x {
		d := v - float32(f4Values[e2m1Code(v, &middle)]*s)
		failures[i%fitLanes] += float32(d * d)
	}
	return foldLanes(&failures)
}
