package kernels

// deviationWeights sets w[i] = |x[i]| + √(Σx²/n): what the K-quants count an error
// of x[i] for, where nothing is known of the column's importance.
func deviationWeights(w, x []float32) {
	rms := sqrt32(sumSquares32(x) / float32(len(x)))
	for i, v := range x {
		w[i] = rms + abs32(v)
	}
}

// importanceWeights sets w[i] = importance[i]·√(sigma2 + x[i]²).
func importanceWeights(w, x, importance []float32, sigma2 float32) {
	for i, v := range x {
		w[i] = float32(importance[i] * sqrt32(sigma2+float32(v*v)))
	}
}

// sum adds in order.
func sum(x []float32) (s float32) {
	for _, v := range x {
		s += v
	}
	return s
}
