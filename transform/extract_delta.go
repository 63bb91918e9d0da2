package transform

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/lowrank"
)

// A delta is the difference of two tensors, or of a slice of them, as a matrix:
// finetuned − base in float32, formed whenever its rows are asked for. Dimensions
// behind the first one of the slice are one row.
type delta struct {
	name        string // seeds the random numbers
	base, tuned *formats.Tensor
	rows, cols  int
	first       int // row of the tensors where the matrix begins, in rows of the tensors
	per         int // rows of the tensors that make one of the matrix
}

// newDelta returns the difference of two tensors of the same shape as a matrix:
// all of it if parts is 1, otherwise the given one of so many equal parts along
// the first dimension.
func newDelta(name string, base, tuned *formats.Tensor, part, parts int) *delta {
	shape := base.Shape
	if parts > 1 {
		shape = shape[1:]
	}
	d := &delta{name: name, base: base, tuned: tuned, rows: 1, cols: 1, per: 1}
	for i, n := range shape {
		switch {
		case i == 0:
			d.rows = n
		default:
			d.cols *= n
		}
		if i > 0 && i < len(shape)-1 {
			d.per *= n
		}
	}
	d.first = part * d.rows * d.per
	return d
}

// Dims returns the numbers of rows and columns.
func (d *delta) Dims() (rows, cols int) { return d.rows, d.cols }

// ReadFloats fills dst with rows of the difference.
func (d *delta) ReadFloats(ctx context.Context, dst []float32, lo, hi int) error {
	base := formats.BorrowFloats(len(dst))
	defer formats.ReturnFloats(base)
	return d.read(ctx, dst, base, lo, hi, func(delta, tuned, base []float32) { kernels.Sub(delta, tuned, base) })
}

// read reads rows of both tensors into two buffers and calls f with them.
func (d *delta) read(ctx context.Context, tuned, base []float32, lo, hi int, f func(delta, tuned, base []float32)) error {
	from, to := d.first+lo*d.per, d.first+hi*d.per
	if err := d.tuned.ReadFloats(ctx, tuned, from, to); err != nil {
		return d.tuned.Error(err)
	}
	if err := d.base.ReadFloats(ctx, base, from, to); err != nil {
		return d.base.Error(err)
	}
	f(tuned, tuned, base)
	return nil
}

// A survey is what one reading of a delta tells.
type survey struct {
	delta2 float64 // ‖finetuned − base‖²
	base2  float64 // ‖base‖²
}

// surveyRows is how many rows a piece of a survey has at most.
const surveyRows = 64

// survey reads the delta once, and into held if that is not nil. An element that
// is not finite is an error that says where.
func (d *delta) survey(ctx context.Context, team *lowrank.Team, held *lowrank.Held) (survey, error) {
	pieces := (d.rows + surveyRows - 1) / surveyRows
	sums := make([]survey, d.rows)
	errs := make([]error, pieces)
	team.Each(pieces, func(i int) {
		if errs[i] = ctx.Err(); errs[i] == nil {
			errs[i] = d.surveyPiece(ctx, i*surveyRows, min((i+1)*surveyRows, d.rows), sums, held)
		}
	})
	var total survey
	for i := range pieces {
		if errs[i] != nil {
			return total, errs[i]
		}
	}
	for _, s := range sums {
		total.delta2 += s.delta2
		total.base2 += s.base2
	}
	return total, nil
}

func (d *delta) surveyPiece(ctx context.Context, lo, hi int, sums []survey, held *lowrank.Held) error {
	tuned, base := formats.BorrowFloats((hi-lo)*d.cols), formats.BorrowFloats((hi-lo)*d.cols)
	defer formats.ReturnFloats(tuned)
	defer formats.ReturnFloats(base)
	var bad error
	err := d.read(ctx, tuned, base, lo, hi, func(delta, tuned, base []float32) {
		kernels.Sub(delta, tuned, base)
		if held != nil {
			held.SetRows(lo, delta)
		}
		for i := range hi - lo {
			b := base[i*d.cols:][:d.cols]
			s := &sums[lo+i]
			s.delta2, s.base2 = kernels.SumSquares(delta[i*d.cols:][:d.cols]), kernels.SumSquares(b)
			if bad == nil && !(s.delta2+s.base2 <= math.MaxFloat64) {
				bad = d.notFinite(ctx, lo+i)
			}
		}
	})
	if err != nil {
		return err
	}
	return bad
}

// notFinite returns the error about the element of a row that is not finite.
func (d *delta) notFinite(ctx context.Context, row int) error {
	x := make([]float32, d.cols)
	for _, t := range []*formats.Tensor{d.base, d.tuned} {
		if err := t.ReadFloats(ctx, x, d.first+row*d.per, d.first+(row+1)*d.per); err != nil {
			return t.Error(err)
		}
		for j, v := range x {
			if v-v != 0 {
				return t.Error(&lowrank.NotFiniteError{Row: row, Col: j, Value: v})
			}
		}
	}
	return d.tuned.Error(formats.Reasonf(formats.ErrUnsupported, "the difference to the base in row %d is too large for float32", row))
}

// noiseSample is how many elements are looked at, about, to know how large the
// errors of all are.
const noiseSample = 1 << 20

// noiseEdge returns the largest singular value that can come from rounding the
// fine-tuned weights to the number format they are stored in. (The base's own
// rounding is no error: the fine-tune began with it.)
func (d *delta) noiseEdge(ctx context.Context) (float64, error) {
	variance := roundingVariances(d.tuned.DType)
	step := max(1, d.rows*d.cols/noiseSample)
	row, columns := 0.0, make([]float64, d.cols)
	x := formats.BorrowFloats(d.cols)
	defer formats.ReturnFloats(x)
	sampled := 0
	for i := 0; i < d.rows; i += step {
		at := d.first + i*d.per
		if err := d.tuned.ReadFloats(ctx, x, at, at+d.per); err != nil {
			return 0, d.tuned.Error(err)
		}
		var sum float64
		for j, v := range x {
			s := variance[math.Float32bits(v)>>23&0xff]
			sum += s
			columns[j] += s
		}
		row = max(row, sum)
		sampled++
	}
	column := slices.Max(columns) * float64(d.rows) / float64(sampled)
	return lowrank.NoiseEdge(row, column, d.rows, d.cols), nil
}

// roundingVariances returns the variance of the error of rounding a number to a
// format, by its exponent as a float32 has it: a twelfth of the square of the
// distance to the next number.
func roundingVariances(t formats.DType) (v [256]float64) {
	var mantissa, least int
	switch t {
	case formats.BF16:
		mantissa, least = 7, -126
	case formats.F16:
		mantissa, least = 10, -14
	default:
		mantissa, least = 23, -126
	}
	for e := range v {
		ulp := math.Ldexp(1, max(e-127, least)-mantissa)
		v[e] = ulp * ulp / 12
	}
	return v
}

// sameValues reports whether two tensors of the same shape hold the same
// numbers, byte by byte where their formats are the same.
func sameValues(ctx context.Context, a, b *formats.Tensor) (bool, error) {
	if a.NumBytes() == 0 {
		return true, nil
	}
	const chunk = 1 << 16
	step := max(1, chunk/max(a.NumCols(), 1))
	for lo := 0; lo < a.NumRows(); lo += step {
		hi := min(lo+step, a.NumRows())
		same, err := sameRows(ctx, a, b, lo, hi)
		if err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func sameRows(ctx context.Context, a, b *formats.Tensor, lo, hi int) (bool, error) {
	read := func(t *formats.Tensor) ([]byte, error) {
		if a.DType == b.DType {
			x := make([]byte, int64(hi-lo)*t.RowBytes())
			return x, t.ReadRows(ctx, x, lo, hi)
		}
		f := make([]float32, (hi-lo)*t.NumCols())
		if err := t.ReadFloats(ctx, f, lo, hi); err != nil {
			return nil, err
		}
		x := make([]byte, 4*len(f))
		for i, v := range f {
			binary.LittleEndian.PutUint32(x[4*i:], math.Float32bits(v))
		}
		return x, nil
	}
	x, err := read(a)
	if err != nil {
		return false, a.Error(err)
	}
	y, err := read(b)
	if err != nil {
		return false, b.Error(err)
	}
	return string(x) == string(y), nil
}
