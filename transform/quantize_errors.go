package transform

import (
	"math"
	"sync"
)

// squares are sums over elements, of which y is what became of x. What was lost
// is measured in relation to what there was, so that tensors of different
// magnitudes compare.
type squares struct {
	error     float64 // Σ(x−y)²
	reference float64 // Σx²

	// The same, times the importance of the column, where there is one.
	weightedError, weightedReference float64
}

// compare adds the squares of a row.
func (s *squares) compare(x, y, weights []float32) {
	for i, v := range x {
		d := float64(v) - float64(y[i])
		d2, v2 := float64(d*d), float64(v)*float64(v)
		s.error += d2
		s.reference += v2
		if weights != nil {
			w := float64(weights[i])
			s.weightedError += float64(w * d2)
			s.weightedReference += float64(w * v2)
		}
	}
}

func (s *squares) add(o squares) {
	s.error += o.error
	s.reference += o.reference
	s.weightedError += o.weightedError
	s.weightedReference += o.weightedReference
}

// loss returns the square of the relative error, Σ(x−y)²/Σx², with weights if
// there are any.
func (s *squares) loss() float64 {
	switch {
	case s.weightedReference > 0:
		return s.weightedError / s.weightedReference
	case s.error > 0:
		return s.error / s.reference
	}
	return 0
}

// errorSums adds up what a quantizer loses of a tensor. Sums are kept by row
// until the tensor is complete, and then added in order, so that they do not
// depend on how the work was divided.
type errorSums struct {
	mu    sync.Mutex
	rows  []squares
	left  int // rows that are missing
	total squares
}

func newErrorSums(rows int) *errorSums { return &errorSums{left: rows} }

// add compares whole rows x, from row lo on, with what became of them.
func (e *errorSums) add(lo, cols int, x, y, weights []float32) {
	sums := make([]squares, len(x)/cols)
	for r := range sums {
		sums[r].compare(x[r*cols:][:cols], y[r*cols:][:cols], weights)
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
		e.total.add(s)
	}
	e.rows = nil
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

// WeightedError returns the same with each square times the importance of its
// column: √(Σw(x−y)²/Σwx²). It is RelativeError where there is no importance.
func (t *QuantizedTensor) WeightedError() float64 {
	if t.errors == nil {
		return 0
	}
	return math.Sqrt(t.errors.total.loss())
}
