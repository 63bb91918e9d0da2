package formats

import "context"

// Rows is where a tensor's data comes from.
type Rows interface {
	// ReadRows fills dst with the rows [lo, hi), in the tensor's own number
	// format, little-endian and row-major; dst has room for exactly these. The
	// same rows give the same bytes however they are asked for, and it may be
	// called from several goroutines at once.
	ReadRows(ctx context.Context, dst []byte, lo, hi int) error

	// Scratch returns an upper bound of the memory in bytes that ReadRows of n
	// rows takes beside dst.
	Scratch(n int) int64
}

// A Tensor is a named array of numbers that is read on demand.
type Tensor struct {
	Info
	Rows Rows
}

// Extent returns where the tensor's bytes lie in a file just as ReadRows gives
// them, or nil if they are computed.
func (t *Tensor) Extent() *Extent {
	e, _ := t.Rows.(*Extent)
	return e
}

// ReadRows fills dst with the bytes of the rows [lo, hi).
func (t *Tensor) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.Rows.ReadRows(ctx, dst, lo, hi)
}

// ReadFloats fills dst with the rows [lo, hi) as float32, rounding to nearest
// even where the number format is wider. It returns an error wrapping
// [ErrUnsupported] if the format has no such reading.
func (t *Tensor) ReadFloats(ctx context.Context, dst []float32, lo, hi int) error {
	decode := Decoder(t.DType)
	if decode == nil {
		return &Error{Tensor: t.Name, Err: Reasonf(ErrUnsupported, "%v can't be read as float32", t.DType)}
	}
	raw := BorrowBytes(int(t.RowBytes()) * (hi - lo))
	defer ReturnBytes(raw)
	if err := t.ReadRows(ctx, raw, lo, hi); err != nil {
		return err
	}
	decode(dst, raw)
	return nil
}

// FloatScratch returns an upper bound of the memory in bytes that ReadFloats of
// n rows takes beside dst.
func (t *Tensor) FloatScratch(n int) int64 {
	return int64(n)*t.RowBytes() + t.Rows.Scratch(n)
}

// Error returns err as an error about this tensor, and about its file if it
// lies in one. An error that names a tensor already is returned as it is.
func (t *Tensor) Error(err error) error {
	if _, ok := err.(*Error); ok {
		return err
	}
	e := &Error{Tensor: t.Name, Err: err}
	if x := t.Extent(); x != nil {
		e.Path = x.File.Path
	}
	return e
}
