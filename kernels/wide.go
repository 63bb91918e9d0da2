package kernels

// Arithmetic in float64 for small dense matrices. Every product is rounded before
// it is added. Which NaN a result that is NaN is, is not defined.

// AddScaledDot64 adds a·x to y and returns the sum of the products of x and z, in
// one walk along x:
//
//	var lane [16]float64
//	for i := range y {
//		lane[i%16] += float64(x[i] * z[i])
//		y[i] += float64(a * x[i])
//	}
//
// with the partial sums added up as in [Dot].
func AddScaledDot64(y []float64, a float64, x, z []float64) float64 {
	checkSame("AddScaledDot64", len(y), len(x))
	checkSame("AddScaledDot64", len(y), len(z))
	var lane [dotLanes]float64
	n := addScaledDot64(&lane, y, a, x, z)
	addScaledDot64Generic(&lane, y[n:], a, x[n:], z[n:])
	return sumLanes(&lane)
}

// SubScaled64 subtracts a·x + b·z from y:
//
//	for i := range y {
//		y[i] -= float64(a*x[i]) + float64(b*z[i])
//	}
func SubScaled64(y []float64, a float64, x []float64, b float64, z []float64) {
	checkSame("SubScaled64", len(y), len(x))
	checkSame("SubScaled64", len(y), len(z))
	n := subScaled64(y, a, x, b, z)
	subScaled64Generic(y[n:], a, x[n:], b, z[n:])
}

func addScaledDot64Generic(lane *[dotLanes]float64, y []float64, a float64, x, z []float64) {
	x, z = x[:len(y)], z[:len(y)]
	for i, v := range x {
		lane[i%dotLanes] += float64(v * z[i])
		y[i] += float64(a * v)
	}
}

func subScaled64Generic(y []float64, a float64, x []float64, b float64, z []float64) {
	x, z = x[:len(y)], z[:len(y)]
	for i := range y {
		y[i] -= float64(a*x[i]) + float64(b*z[i])
	}
}
