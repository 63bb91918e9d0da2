package transform

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/shrink"
)

// A ShrinkReport says what quantizing a checkpoint did to each matrix.
type ShrinkReport struct {
	*shrink.Report
	Parameters    int64         `json:"parameters"`
	Bytes         int64         `json:"bytes"`
	BitsPerWeight float64       `json:"bits_per_weight"`
	Error         float64       `json:"relative_error"` // ‖W−Q(W)‖/‖W‖ of all quantized matrices
	Measured      []*ShrunkLine `json:"measured,omitempty"`
	Before        any           `json:"before,omitempty"` // the report of a merge
}

// A ShrunkLine is how much of a matrix quantization left.
type ShrunkLine struct {
	Name          string  `json:"name"`
	RMSE          float64 `json:"rmse"`           // of a weight
	RelativeError float64 `json:"relative_error"` // ‖W−Q(W)‖/‖W‖

	// After a merge of Δ into the base B, W = B+Δ. How much of the change is left is
	// Survival = ⟨Q(W)−Q(B), Δ⟩/⟨Δ, Δ⟩, 1 if all of it on average. SNR = ‖Δ‖/‖Q(W)−Q(B)−Δ‖
	// says how far it stands above the noise. Both are missing for what did not change.
	Survival *float64 `json:"delta_survival,omitempty"`
	SNR      *float64 `json:"delta_snr,omitempty"`
}

// NewShrinkReport returns a report of what [shrink.Quantize] made, before it is measured.
func NewShrinkReport(source, made *formats.Model, r *shrink.Report, before any) *ShrinkReport {
	s := &ShrinkReport{Report: r, Parameters: source.NumParameters(), Bytes: made.NumBytes(), Before: before}
	if s.Parameters > 0 {
		s.BitsPerWeight = 8 * float64(s.Bytes) / float64(s.Parameters)
	}
	return s
}

// Measure compares the quantized matrices of made, decoded, with source. base is nil, or
// what adapters were merged into, quantized in the same way; the change is then measured
// too. Sums are in float64, in an order that does not depend on o.
func (s *ShrinkReport) Measure(ctx context.Context, source, made, base, madeBase *formats.Model, o Options) error {
	plain, _, err := shrink.Dequantize(made)
	if err != nil {
		return err
	}
	var plainBase *formats.Model
	if base != nil {
		if plainBase, _, err = shrink.Dequantize(madeBase); err != nil {
			return err
		}
	}
	var lines []*survival
	var items []scanItem
	for _, x := range s.Matrices {
		if x.Type == "" || plain.Tensor(x.Name) == nil {
			continue
		}
		v := &survival{name: x.Name, w: source.Tensor(x.Name), q: plain.Tensor(x.Name)}
		if base != nil && base.Tensor(x.Name) != nil && plainBase.Tensor(x.Name) != nil {
			v.b, v.qb = base.Tensor(x.Name), plainBase.Tensor(x.Name)
		}
		it := scanItem{name: x.Name, rows: v.w.NumRows(), rowBytes: 4 * int64(v.w.NumCols()), cost: v.cost}
		if len(v.w.Shape) == 3 {
			it.together = shrink.TurnedGroup // so that none is made twice
		}
		v.sums = make([]survivalSums, it.numBlocks())
		lines, items = append(lines, v), append(items, it)
	}
	err = scan(ctx, items, &o, func(ctx context.Context, i, block, lo, hi int) error {
		return lines[i].measure(ctx, &lines[i].sums[block], lo, hi)
	})
	if err != nil {
		return err
	}
	var total survivalSums
	for _, v := range lines {
		sum := v.total()
		total.error += sum.error
		total.square += sum.square
		s.Measured = append(s.Measured, v.line(sum))
	}
	s.Error = ratio(math.Sqrt(total.error), math.Sqrt(total.square))
	return nil
}

// survival compares one matrix: w with q, and w−b with q−qb.
type survival struct {
	name        string
	w, q, b, qb *formats.Tensor // b and qb are nil if there was no merge
	sums        []survivalSums  // of blocks
}

type survivalSums struct {
	error, square       float64 // Σ(w−q)², Σw²
	delta, along, noise float64 // Σδ², Σ(q−qb)·δ, Σ(q−qb−δ)² with δ = w−b
}

func (v *survival) cost(n int) int64 {
	size := 4 * int64(n) * int64(v.w.NumCols())
	total := 2*size + v.w.FloatScratch(n) + v.q.FloatScratch(n)
	if v.b != nil {
		total += 2*size + v.b.FloatScratch(n) + v.qb.FloatScratch(n)
	}
	return total
}

func (v *survival) measure(ctx context.Context, s *survivalSums, lo, hi int) error {
	read := func(t *formats.Tensor) ([]float32, error) {
		x := formats.BorrowFloats((hi - lo) * t.NumCols())
		return x, t.ReadFloats(ctx, x, lo, hi)
	}
	w, err := read(v.w)
	if err != nil {
		return v.w.Error(err)
	}
	defer formats.ReturnFloats(w)
	q, err := read(v.q)
	if err != nil {
		return v.q.Error(err)
	}
	defer formats.ReturnFloats(q)
	s.square = kernels.SumSquares(w)
	if v.b == nil {
		kernels.Sub(q, w, q)
		s.error = kernels.SumSquares(q)
		return nil
	}
	b, err := read(v.b)
	if err != nil {
		return v.b.Error(err)
	}
	defer formats.ReturnFloats(b)
	qb, err := read(v.qb)
	if err != nil {
		return v.qb.Error(err)
	}
	defer formats.ReturnFloats(qb)
	for i, x := range w {
		e := float64(x) - float64(q[i])
		delta := float64(x) - float64(b[i])
		left := float64(q[i]) - float64(qb[i])
		noise := left - delta
		s.error += float64(e * e)
		s.delta += float64(delta * delta)
		s.along += float64(left * delta)
		s.noise += float64(noise * noise)
	}
	return nil
}

func (v *survival) total() (t survivalSums) {
	for _, s := range v.sums {
		t.error += s.error
		t.square += s.square
		t.delta += s.delta
		t.along += s.along
		t.noise += s.noise
	}
	return t
}

func (v *survival) line(s survivalSums) *ShrunkLine {
	l := &ShrunkLine{Name: v.name, RMSE: math.Sqrt(ratio(s.error, float64(v.w.NumElements()))), RelativeError: ratio(math.Sqrt(s.error), math.Sqrt(s.square))}
	if s.delta > 0 {
		along, snr := s.along/s.delta, math.Sqrt(s.delta)/math.Sqrt(s.noise)
		l.Survival = &along
		if !math.IsInf(snr, 0) {
			l.SNR = &snr
		}
	}
	return l
}

// ratio returns a/b, and 0 for 0/0.
func ratio(a, b float64) float64 {
	if a == 0 {
		return 0
	}
	return a / b
}
