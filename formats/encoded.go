package formats

import "context"

// Encoded returns the tensor in number format d: float32 rounded to nearest even,
// or quantized without an importance matrix. It is t itself if d is its format
// already. Numbers beyond float32, which only F64 has, are rounded twice.
//
// It panics if t has no [Decoder], or d neither an [Encoder] nor a [Quantizer].
func Encoded(t *Tensor, d DType) *Tensor {
	if t.DType == d {
		return t
	}
	e := &encodedRows{from: t}
	switch encode, quantize := Encoder(d), Quantizer(d); {
	case Decoder(t.DType) == nil || encode == nil && quantize == nil:
		panic("formats: no way from " + t.DType.String() + " to " + d.String())
	case encode != nil:
		e.encode = encode
	default:
		cols := t.NumCols()
		e.encode = func(dst []byte, x []float32) { quantize(dst, x, cols, nil) }
	}
	info := t.Info
	info.DType = d
	return &Tensor{Info: info, Rows: e}
}

// encodedRows are the rows of a tensor in another number format.
type encodedRows struct {
	from   *Tensor
	encode func(dst []byte, x []float32)
}

func (e *encodedRows) Scratch(n int) int64 {
	return 4*int64(n)*int64(e.from.NumCols()) + e.from.FloatScratch(n)
}

func (e *encodedRows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	x := BorrowFloats((hi - lo) * e.from.NumCols())
	defer ReturnFloats(x)
	if err := e.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	e.encode(dst, x)
	return nil
}
