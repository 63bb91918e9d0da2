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
