package lowrank

import (
	"math"
	"slices"
)

// dot64 returns the sum of products, in four interleaved chains.
func dot64(x, y []float64) float64 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a, b := x[i:i+4:i+4], y[i:i+4:i+4]
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
	}
	for ; i < len(x); i++ {
		s0 += float64(x[i] * y[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// axpy64 adds a·x to y.
func axpy64(y []float64, a float64, x []float64) {
	x = x[:len(y)]
	for i := range y {
		y[i] += float64(a * x[i])
	}
}

// normalize scales x to length 1 and returns the length it had.
func normalize(x []float64) float64 {
	var big float64
	for _, v := range x {
		big = max(big, math.Abs(v))
	}
	if big == 0 || math.IsInf(big, 0) || math.IsNaN(big) {
		return 0
	}
	for i := range x {
		x[i] /= big
	}
	norm := math.Sqrt(dot64(x, x))
	for i := range x {
		x[i] /= norm
	}
	return norm * big
}

func sortDescending(x []float64) {
	slices.Sort(x)
	slices.Reverse(x)
}
