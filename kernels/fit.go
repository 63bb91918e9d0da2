package kernels

// fitLanes is how many sums FitInt4 makes side by side.
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
