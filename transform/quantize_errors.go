package transform

import (
	"math"
	"sync"
)

// errorSums adds up the squares of what a quantizer loses of a tensor. Sums are
// kept by row until the tensor is complete, and then added in order, so that they
// do not depend on how the work was divided.
type errorSums struct {
	mu    sync.Mutex
	rows  []squares
	left  int // rows that are missing
	total squares
}

// squares are sums over elements.
type squares struct {
	error     float64 // of (x−y)²
	reference float64 // of x²
}

func newErrorSums(rows int) *errorSums { return &errorSums{left: rows} }

// add compares whole rows x, from row lo on, with what became of them.
func (e *errorSums) add(lo, cols int, x, y []float32) {
	sums := make([]squares, len(x)/cols)
	for r := range sums {
		sums[r].compare(x[r*cols:][:cols], y[r*cols:][:cols], nil)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rows == nil {
		e.rows = make([]squares, e.left)
	}
	copy(e.rows[lo:], sums)
	if e.left -= len(sums); e.left > 0 {
		return
	}
	for _, s := range e.rows {
		e.total.error += s.error
		e.total.reference += s.reference
	}
	e.rows = nil
}

// compare adds the squares of a row, times weights if there are any.
func (s *squares) compare(x, y, weights []float32) {
	for i, v := range x {
		w := 1.0
		if weights != nil {
			w = float64(weights[i])
		}
		d := float64(v) - float64(y[i])
		s.error += float64(w * d * d)
		s.reference += float64(w * float64(v) * float64(v))
	}
}

// Measured reports whether the tensor was changed and compared with its source.
func (t *QuantizedTensor) Measured() bool { return t.errors != nil }

// RMSE returns the root of the mean square of what was lost: √(Σ(x−y)²/n).
func (t *QuantizedTensor) RMSE() float64 {
	if t.errors == nil || t.NumElements() == 0 {
		return 0
	}
	return math.Sqrt(t.errors.total.error / float64(t.NumElements()))
}

// RelativeError returns what was lost in relation to what there was:
// √(Σ(x−y)²/Σx²).
func (t *QuantizedTensor) RelativeError() float64 {
	if t.errors == nil || t.errors.total.error == 0 {
		return 0
	}
	return math.Sqrt(t.errors.total.error / t.errors.total.reference)
}
