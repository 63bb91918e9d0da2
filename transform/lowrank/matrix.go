package lowrank

import (
	"context"
	"fmt"

	"github.com/loratool/loratool/formats"
)

// A Matrix gives its rows when asked. It is safe for concurrent use, and the
// same rows have the same bits however they are asked for.
type Matrix interface {
	// Dims returns the numbers of rows and columns.
	Dims() (rows, cols int)

	// ReadFloats fills dst with the rows [lo, hi), row-major.
	ReadFloats(ctx context.Context, dst []float32, lo, hi int) error
}

// Dense is a matrix in memory, row-major.
type Dense struct {
	Rows, Cols int
	Data       []float32
}

// Dims returns the numbers of rows and columns.
func (d *Dense) Dims() (rows, cols int) { return d.Rows, d.Cols }

// ReadFloats copies the rows [lo, hi).
func (d *Dense) ReadFloats(_ context.Context, dst []float32, lo, hi int) error {
	copy(dst, d.Data[lo*d.Cols:hi*d.Cols])
	return nil
}

func (d *Dense) hold(lo int) (x []float32, ld int) { return d.Data[lo*d.Cols:], d.Cols }

// A holder is a matrix that is in memory: hold returns it from a row on, and the
// distance between rows. Nobody changes what it returns.
type holder interface {
	hold(lo int) (x []float32, ld int)
}

// Held is a matrix that was read into memory, with rows at a distance at which
// they do not compete for the same lines of a cache.
type Held struct {
	rows, cols, ld int
	x              []float32
}

// heldStride returns the distance between rows of so many numbers: an odd number
// of cache lines.
func heldStride(cols int) int {
	const line = 16
	return ((cols+line-1)/line | 1) * line
}

// NewHeld returns a matrix in room, of [HeldFloats], which [Held.SetRows] fills.
func NewHeld(rows, cols int, room []float32) *Held {
	return &Held{rows, cols, heldStride(cols), room}
}

// HeldFloats returns how many numbers that takes.
func HeldFloats(rows, cols int) int { return rows * heldStride(cols) }

// SetRows sets rows from lo on to those in x, which follow one another.
func (h *Held) SetRows(lo int, x []float32) {
	for i := 0; i*h.cols < len(x); i++ {
		copy(h.x[(lo+i)*h.ld:], x[i*h.cols:][:h.cols])
	}
}

// Dims returns the numbers of rows and columns.
func (h *Held) Dims() (rows, cols int) { return h.rows, h.cols }

// ReadFloats copies the rows [lo, hi).
func (h *Held) ReadFloats(_ context.Context, dst []float32, lo, hi int) error {
	for i := lo; i < hi; i++ {
		copy(dst[(i-lo)*h.cols:][:h.cols], h.x[i*h.ld:])
	}
	return nil
}

func (h *Held) hold(lo int) (x []float32, ld int) { return h.x[lo*h.ld:], h.ld }

// A NotFiniteError reports an element that is infinite or not a number.
type NotFiniteError struct {
	Row, Col int
	Value    float32
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("element [%d, %d] is %v", e.Row, e.Col, e.Value)
}

// Unwrap says what kind of error it is: a valid file that has no singular values.
func (e *NotFiniteError) Unwrap() error { return formats.ErrUnsupported }
