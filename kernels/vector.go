package kernels

// Vector arithmetic in float32. Results that are NaN are the one NaN with bits
// 0x7fc00000, whatever NaNs or infinities it comes from, so that they too are
// the same on every CPU.

// AddScaled adds a·x to y:
//
//	for i := range y {
//		y[i] += float32(a * x[i])
//	}
//
// The product is rounded before the sum.
func AddScaled(y []float32, a float32, x []float32) {
	checkSame("AddScaled", len(y), len(x))
	addScaled(y, a, x)
}

// Scale multiplies y by a:
//
//	for i := range y {
//		y[i] *= a
//	}
func Scale(y []float32, a float32) { scale(y, a) }

// Sub subtracts y from x:
//
//	for i := range dst {
//		dst[i] = x[i] - y[i]
//	}
//
// dst may be x or y, but must not overlap them otherwise.
func Sub(dst, x, y []float32) {
	checkSame("Sub", len(dst), len(x))
	checkSame("Sub", len(dst), len(y))
	sub(dst, x, y)
}

// MaxAbsDiff returns the greatest difference between corresponding elements:
//
//	for i := range x {
//		max = math.Max(max, math.Abs(x[i]-y[i]))
//	}
//
// with the difference rounded to float32. It is 0 for empty slices, and NaN if
// any difference is.
func MaxAbsDiff(x, y []float32) float32 {
	checkSame("MaxAbsDiff", len(x), len(y))
	return maxAbsDiff(x, y)
}
