package transform

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// A distance is how far two lists of numbers are from each other.
type distance struct {
	maxAbs    float64
	squares   float64 // Σ(x−y)²
	squaresA  float64 // Σx²
	nonFinite int64
}

func (d *distance) add(e distance) {
	d.maxAbs = max(d.maxAbs, e.maxAbs)
	d.squares += e.squares
	d.squaresA += e.squaresA
	d.nonFinite += e.nonFinite
}

// numeric reports whether tensors of the format can be read as numbers.
func numeric(d formats.DType) bool { return formats.Decoder(d) != nil }

// wide reports whether float32 can't hold the numbers of the format.
func wide(d formats.DType) bool {
	switch d {
	case formats.F64, formats.I64, formats.U64, formats.I32, formats.U32:
		return true
	}
	return false
}

func (p *pair) numberCost(n int) int64 {
	perNumber := int64(3 * 4) // x, y, and their difference
	if wide(p.a.DType) || wide(p.b.DType) {
		perNumber = 2 * 8
	}
	return int64(n)*int64(p.a.NumCols())*perNumber + p.a.FloatScratch(n) + p.b.FloatScratch(n)
}

// measure sets d to the distance of the rows [lo, hi).
func (p *pair) measure(ctx context.Context, d *distance, lo, hi int) error {
	if wide(p.a.DType) || wide(p.b.DType) {
		return p.measureWide(ctx, d, lo, hi)
	}
	n := (hi - lo) * p.a.NumCols()
	x, y, z := formats.BorrowFloats(n), formats.BorrowFloats(n), formats.BorrowFloats(n)
	defer formats.ReturnFloats(x)
	defer formats.ReturnFloats(y)
	defer formats.ReturnFloats(z)
	if err := p.a.ReadFloats(ctx, x, lo, hi); err != nil {
		return p.a.Error(err)
	}
	if err := p.b.ReadFloats(ctx, y, lo, hi); err != nil {
		return p.b.Error(err)
	}
	kernels.Sub(z, x, y)
	if kernels.FirstNonFinite(z) >= 0 { // one of the two is not finite, or the difference is too large
		for i := range x {
			d.addPair(float64(x[i]), float64(y[i]))
		}
		return nil
	}
	*d = distance{maxAbs: float64(kernels.MaxAbsDiff(x, y)), squares: kernels.SumSquares(z), squaresA: kernels.SumSquares(x)}
	return nil
}

func (p *pair) measureWide(ctx context.Context, d *distance, lo, hi int) error {
	x, err := readWide(ctx, p.a, lo, hi)
	if err != nil {
		return p.a.Error(err)
	}
	y, err := readWide(ctx, p.b, lo, hi)
	if err != nil {
		return p.b.Error(err)
	}
	for i := range x {
		d.addPair(x[i], y[i])
	}
	return nil
}

func (d *distance) addPair(x, y float64) {
	if isFinite(x) && isFinite(y) {
		diff := x - y
		d.maxAbs = max(d.maxAbs, math.Abs(diff))
		d.squares += float64(diff * diff)
		d.squaresA += float64(x * x)
	} else if x != y && !(math.IsNaN(x) && math.IsNaN(y)) {
		d.nonFinite++
	}
}

func isFinite(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }

// readWide returns the rows [lo, hi) as float64.
func readWide(ctx context.Context, t *formats.Tensor, lo, hi int) ([]float64, error) {
	out := make([]float64, (hi-lo)*t.NumCols())
	if !wide(t.DType) {
		x := formats.BorrowFloats(len(out))
		defer formats.ReturnFloats(x)
		if err := t.ReadFloats(ctx, x, lo, hi); err != nil {
			return nil, err
		}
		for i, v := range x {
			out[i] = float64(v)
		}
		return out, nil
	}
	raw := formats.BorrowBytes((hi - lo) * int(t.RowBytes()))
	defer formats.ReturnBytes(raw)
	if err := t.ReadRows(ctx, raw, lo, hi); err != nil {
		return nil, err
	}
	for i := range out {
		switch t.DType {
		case formats.F64:
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
		case formats.I64:
			out[i] = float64(int64(binary.LittleEndian.Uint64(raw[8*i:])))
		case formats.U64:
			out[i] = float64(binary.LittleEndian.Uint64(raw[8*i:]))
		case formats.I32:
			out[i] = float64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		case formats.U32:
			out[i] = float64(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	return out, nil
}
