//go:build !purego

package kernels

// sumSquaresLanes adds Σx² of n columns to sum.
func sumSquaresLanes(sum *perLane, x *float32, n, lanes int) {
	if lanes == 16 {
		sumSquaresLanesAVX512(sum, x, n)
	} else {
		sumSquaresLanesAVX2(sum, x, n)
	}
}

// sumSquaresRows sets sum to Σx² of n values, a multiple of 16, of each of the rows.
func sumSquaresRows(sum *perLane, rows *[16]*float32, n, lanes int) {
	if lanes == 16 {
		sumSquaresRowsAVX512(sum, rows, n)
	} else {
		sumSquaresRowsAVX2(sum, rows, n)
	}
}

func deviationWeightsLanes(w, x *float32, n int, perN float32, lanes int) {
	if lanes == 16 {
		deviationWeightsAVX512(w, x, n, perN)
	} else {
		deviationWeightsAVX2(w, x, n, perN)
	}
}

// importanceWeightsLanes sets the n columns w to importance·√(sigma2 + x²), the importance
// being that in the rows, and sum to their sums.
func importanceWeightsLanes(w *float32, sum *perLane, x *float32, rows *[16]*float32, sigma2 *perLane, n, lanes int) {
	if lanes == 16 {
		importanceWeightsAVX512(w, sum, x, rows, sigma2, n)
	} else {
		importanceWeightsAVX2(w, sum, x, rows, sigma2, n)
	}
}

func squareWeightsLanes(w, x *float32, n, lanes int) {
	if lanes == 16 {
		squareWeightsAVX512(w, x, n)
	} else {
		squareWeightsAVX2(w, x, n)
	}
}
