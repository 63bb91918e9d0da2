package transform

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/lowrank"
)

// DefaultSpectrumRank is how many singular values of each matrix [Spectrum] finds
// unless it is told.
const DefaultSpectrumRank = 128

// A SpectrumReport says how low the rank of a fine-tune is.
type SpectrumReport struct {
	Base      string           `json:"base"`
	Finetuned string           `json:"finetuned"`
	Layers    []*LayerSpectrum `json:"layers"`
	Totals    []RankTotal      `json:"totals"` // if all layers had the same rank
	Saved     []string         `json:"saved"`  // changed tensors that an adapter would have in full
	Unchanged []string         `json:"unchanged"`
	Left      []string         `json:"left_out"`

	DeltaNorm float64 `json:"delta_norm"` // ‖Δ‖ over all layers
}

// A LayerSpectrum is what is known of a layer's Δ, with the ranks that suit it. A
// rank is 0 where it is larger than the number of singular values that were found.
type LayerSpectrum struct {
	*LayerReport
	// The smallest that keep that share of ‖Δ‖², in percent.
	Rank80 int `json:"rank_80"`
	Rank90 int `json:"rank_90"`
	Rank95 int `json:"rank_95"`
	Rank99 int `json:"rank_99"`
}

// A RankTotal is what one rank for all layers would give.
type RankTotal struct {
	Rank       int     `json:"rank"`
	Energy     float64 `json:"energy"`     // share of Σ‖Δ‖² kept
	Parameters int64   `json:"parameters"` // of the factors
}

// Spectrum returns the leading singular values of what fine-tuning changed, Rank
// of them for each matrix, the noise that they must exceed to mean something,
// and the ranks that they suggest. It uses the options as [Extract] does, and
// writes nothing.
func Spectrum(ctx context.Context, base, tuned *formats.Model, o ExtractOptions) (*SpectrumReport, error) {
	if o.Rank == 0 {
		o.Rank = DefaultSpectrumRank
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	p, err := pairModels(base, tuned, &o)
	if err != nil {
		return nil, err
	}
	x := &extraction{modelPair: p, o: &o, team: lowrank.NewTeam(o.workers())}
	if err := x.compareVectors(ctx); err != nil {
		return nil, err
	}
	total := x.makeJobs()
	report := reporter(total, o.Progress)
	err = x.each(ctx, func(ctx context.Context, j *job) error {
		if err := j.decompose(ctx, x, false); err != nil {
			return err
		}
		if j.dec != nil {
			j.dec.ForgetVectors()
		}
		report(j.delta.bytes(), j.layer.tensor)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x.spectrumReport(), nil
}

func (x *extraction) spectrumReport() *SpectrumReport {
	r := &SpectrumReport{Base: x.base.Path, Finetuned: x.tuned.Path, Layers: []*LayerSpectrum{}, Saved: []string{},
		Unchanged: x.same, Left: x.left}
	for _, t := range append(x.changed, x.added...) {
		r.Saved = append(r.Saved, t.Name)
	}
	var delta2 float64
	for _, j := range x.jobs {
		if j.survey.delta2 == 0 {
			r.Unchanged = append(r.Unchanged, j.delta.name)
			continue
		}
		delta2 += j.survey.delta2
		l := &LayerSpectrum{LayerReport: j.layerReport()}
		for _, s := range []struct {
			share float64
			rank  *int
		}{{0.8, &l.Rank80}, {0.9, &l.Rank90}, {0.95, &l.Rank95}, {0.99, &l.Rank99}} {
			*s.rank = rankFor(l.SingularValues, s.share*j.survey.delta2)
		}
		r.Layers = append(r.Layers, l)
	}
	r.DeltaNorm = math.Sqrt(delta2)
	for rank := 1; rank <= x.o.Rank && delta2 > 0; rank *= 2 {
		r.Totals = append(r.Totals, r.at(rank, delta2))
	}
	return r
}

// rankFor returns how many values have squares that add up to energy, or 0 if
// all do not.
func rankFor(values []float64, energy float64) int {
	var sum float64
	for i, v := range values {
		if sum += float64(v * v); sum >= energy {
			return i + 1
		}
	}
	return 0
}

// at returns what a rank for all layers would give.
func (r *SpectrumReport) at(rank int, delta2 float64) RankTotal {
	t := RankTotal{Rank: rank}
	for _, l := range r.Layers {
		n := min(rank, len(l.SingularValues))
		for _, v := range l.SingularValues[:n] {
			t.Energy += v * v / delta2
		}
		t.Parameters += int64(n) * int64(l.Rows+l.Cols)
	}
	return t
}
