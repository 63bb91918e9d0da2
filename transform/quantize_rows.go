package transform

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/recipe"
)

// quantizedRows returns where the data of a line's tensor comes from.
func quantizedRows(line *QuantizedTensor, importance *imatrix.Entry, o *QuantizeOptions) (formats.Rows, error) {
	from := line.Source
	if line.DType == line.From {
		if o.Recipe.FType == recipe.Copy {
			return from.Rows, nil
		}
		return &checkedRows{from}, nil
	}
	switch {
	case from.DType.IsQuantized() && !o.AllowRequantize:
		return nil, &formats.Error{Tensor: from.Name, Err: formats.Reasonf(formats.ErrUnsupported,
			"it is quantized already, to %v; quantizing it again to %v would lose more than quantizing the original", from.DType, line.DType),
			Hint: "start from the F16 or BF16 model, or say --allow-requantize"}
	case formats.Decoder(from.DType) == nil || !from.DType.IsQuantized() && !from.DType.IsFloat():
		return nil, formats.Reasonf(formats.ErrUnsupported, "%v can't be quantized", from.DType)
	}
	rows := &quantizing{line: line, from: from, experts: numExperts(&from.Info), importance: importance}
	if !usesImportance(line.DType) && !o.Measure {
		rows.importance = nil
	}
	if importance != nil {
		if err := importance.Fits(rows.experts, from.NumCols()); err != nil {
			// Matrices measured with another vocabulary are in use: only the token
			// embedding differs then, and it is none of those that were measured.
			if recipe.IsTokenEmbedding(from.Name) {
				rows.importance = nil
			} else {
				return nil, err
			}
		}
	}
	if rows.importance == nil && recipe.NeedsImatrix(line.Name, line.DType, o.Recipe.FType) {
		return nil, &formats.Error{Tensor: from.Name, Err: formats.Reasonf(formats.ErrMismatch,
			"%v is useless without an importance matrix, and there is none for it", line.DType),
			Hint: "measure one with llama-imatrix and give it with --imatrix"}
	}
	line.Weighted = rows.importance != nil && usesImportance(line.DType)
	if o.Measure {
		line.errors = newErrorSums(from.NumRows())
	}
	return rows, nil
}

// numExperts returns how many matrices a tensor holds.
func numExperts(info *formats.Info) int {
	n := 1
	for _, d := range info.Shape[:max(0, len(info.Shape)-2)] {
		n *= d
	}
	return n
}

// usesImportance reports whether the quantizer of a format looks at weights.
func usesImportance(d formats.DType) bool {
	switch d {
	case formats.Q8_0, formats.MXFP4, formats.NVFP4, formats.TQ1_0, formats.TQ2_0, formats.Q1_0, formats.Q2_0:
		return false
	}
	return d.IsQuantized()
}

// quantizing are the rows of a tensor in another number format.
type quantizing struct {
	line       *QuantizedTensor
	from       *formats.Tensor
	importance *imatrix.Entry // nil for none
	experts    int
}

func (q *quantizing) Scratch(n int) int64 {
	floats := int64(n) * int64(q.from.NumCols())
	if q.line.errors != nil {
		floats *= 2
	}
	if q.importance != nil {
		floats += 2 * int64(q.from.NumCols())
	}
	return 4*floats + q.from.FloatScratch(n)
}

func (q *quantizing) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	cols := q.from.NumCols()
	x := formats.BorrowFloats((hi - lo) * cols)
	defer formats.ReturnFloats(x)
	if err := q.from.ReadFloats(ctx, x, lo, hi); err != nil {
		return err
	}
	if i := kernels.FirstNonFinite(x); i >= 0 {
		return q.from.Error(formats.Reasonf(formats.ErrFormat, "element %d is %v", lo*cols+i, x[i]))
	}
	if i := beyondRange(q.line.DType, x); i >= 0 {
		return q.outOfRange(lo*cols+i, x[i])
	}
	if err := q.encode(ctx, dst, x, lo); err != nil {
		return err
	}
	if i := firstInfinite(q.line.DType, dst); i >= 0 {
		i = i*q.line.DType.BlockLen() + largest(x[i*q.line.DType.BlockLen():][:q.line.DType.BlockLen()])
		return q.outOfRange(lo*cols+i, x[i])
	}
	return nil
}

func (q *quantizing) outOfRange(i int, v float32) error {
	return q.from.Error(formats.Reasonf(formats.ErrUnsupported, "element %d is %v, beyond the range of %v", i, v, q.line.DType))
}

// encode converts the rows x, of which the first is row lo of the tensor, expert
// by expert.
func (q *quantizing) encode(ctx context.Context, dst []byte, x []float32, lo int) error {
	cols := q.from.NumCols()
	if q.importance == nil {
		q.encodeWith(dst, x, lo, nil)
		return nil
	}
	w := formats.BorrowFloats(cols)
	defer formats.ReturnFloats(w)
	perExpert := q.from.NumRows() / q.experts
	for len(x) > 0 {
		expert := lo / perExpert
		if err := q.importance.Read(ctx, w, expert); err != nil {
			return err
		}
		n := min((expert+1)*perExpert-lo, len(x)/cols)
		size := n * int(q.line.RowBytes())
		q.encodeWith(dst[:size], x[:n*cols], lo, w)
		dst, x, lo = dst[size:], x[n*cols:], lo+n
	}
	return nil
}

// encodeWith converts rows that share the importance of their columns, nil for
// none.
func (q *quantizing) encodeWith(dst []byte, x []float32, lo int, weights []float32) {
	cols := q.from.NumCols()
	encodeRows(q.line.DType, dst, x, cols, weights)
	if q.line.errors != nil {
		y := formats.BorrowFloats(len(x))
		defer formats.ReturnFloats(y)
		formats.Decoder(q.line.DType)(y, dst)
		q.line.errors.add(lo, cols, x, y, weights)
	}
}

// encodeRows converts rows to a number format, which uses weights if it can.
func encodeRows(d formats.DType, dst []byte, x []float32, cols int, weights []float32) {
	switch quantize := formats.Quantizer(d); {
	case quantize == nil:
		formats.Encoder(d)(dst, x)
	case usesImportance(d):
		quantize(dst, x, cols, weights)
	default:
		quantize(dst, x, cols, nil)
	}
}

// checkedRows are the rows of a tensor that stays as it is, looked through for
// numbers that are none.
type checkedRows struct {
	from *formats.Tensor
}

func (c *checkedRows) Scratch(n int) int64 {
	return c.from.FloatScratch(n) + 4*int64(n)*int64(c.from.NumCols())
}

func (c *checkedRows) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if err := c.from.ReadRows(ctx, dst, lo, hi); err != nil {
		return err
	}
	d, cols := c.from.DType, c.from.NumCols()
	if d.IsQuantized() {
		if i := firstInfinite(d, dst); i >= 0 {
			return c.from.Error(formats.Reasonf(formats.ErrFormat, "the scale of the block from element %d on is no finite number", lo*cols+i*d.BlockLen()))
		}
		return nil
	}
	decode := formats.Decoder(d)
	if !d.IsFloat() || decode == nil {
		return nil
	}
	x := formats.BorrowFloats((hi - lo) * cols)
	defer formats.ReturnFloats(x)
	decode(x, dst)
	if i := kernels.FirstNonFinite(x); i >= 0 {
		return c.from.Error(formats.Reasonf(formats.ErrFormat, "element %d is %v", lo*cols+i, x[i]))
	}
	return nil
}

// largest returns the index of the element of largest magnitude.
func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if max(v, -v) > max(x[best], -x[best]) {
			best = i
		}
	}
	return best
}
