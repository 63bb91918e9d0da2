package transform

import (
	"fmt"
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
)

// An ExtractReport says how well an adapter describes a fine-tune.
type ExtractReport struct {
	Base      string `json:"base"`
	Finetuned string `json:"finetuned"`
	DType     string `json:"dtype"` // of the factors
	Ranks     string `json:"ranks"` // how they were chosen

	Layers    []*LayerReport `json:"layers"`    // by the order of the fine-tuned model's tensors
	Saved     []SavedTensor  `json:"saved"`     // in full
	Unchanged []string       `json:"unchanged"` // tensors that are equal in both models
	Left      []string       `json:"left_out"`  // tensors that the filters excluded

	DeltaNorm     float64 `json:"delta_norm"`     // ‖Δ‖ over all layers
	RelativeError float64 `json:"relative_error"` // ‖Δ − BA‖/‖Δ‖ over all layers
	Energy        float64 `json:"energy"`         // 1 − its square
	Parameters    int64   `json:"parameters"`     // of the factors
	Bytes         int64   `json:"bytes"`          // of the adapter's weights
}

// A LayerReport is what is known of a layer's Δ = finetuned − base, or of that of
// an expert, and of the factors that describe it.
type LayerReport struct {
	Module string `json:"module"`
	Expert *int   `json:"expert,omitempty"`
	Kind   string `json:"kind"`
	Rows   int    `json:"rows"`
	Cols   int    `json:"cols"`

	DeltaNorm     float64 `json:"delta_norm"`     // ‖Δ‖
	RelativeDelta float64 `json:"relative_delta"` // ‖Δ‖/‖base‖

	Rank          int     `json:"rank"`
	Energy        float64 `json:"energy"`                   // 1 − RelativeError²
	RelativeError float64 `json:"relative_error"`           // ‖Δ − BA‖/‖Δ‖ of the factors as they are stored
	WeightedError float64 `json:"weighted_error,omitempty"` // the same with importance, if there is one
	// Factor that the error is at most above the smallest possible of this rank; 0
	// if nothing is certain. It rests on an estimate, see lowrank.Decomposition.
	AtMost float64 `json:"at_most_above_best,omitempty"`

	NoiseEdge      float64   `json:"noise_edge"`      // largest singular value that rounding the fine-tuned weights explains
	AboveNoise     int       `json:"above_noise"`     // singular values above it, of those that were computed
	SingularValues []float64 `json:"singular_values"` // the largest ones
}

// A SavedTensor is one that the adapter has in full, or as a difference.
type SavedTensor struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	Why   string `json:"why"`
}

// layerReport returns what a job came to.
func (j *job) layerReport() *LayerReport {
	s := &j.survey
	r := &LayerReport{Module: j.layer.module, Kind: string(j.layer.kind), Rows: j.delta.rows, Cols: j.delta.cols,
		DeltaNorm: math.Sqrt(s.delta2), RelativeError: 1, NoiseEdge: j.edge}
	if s.base2 > 0 {
		r.RelativeDelta = math.Sqrt(s.delta2 / s.base2)
	}
	if j.layer.kind == expertsLayer {
		r.Expert = &j.expert
	}
	r.SingularValues = significant(j.accurateValues())
	for _, v := range r.SingularValues {
		if v > noiseMargin*j.edge {
			r.AboveNoise++
		}
	}
	if j.result == nil {
		return r
	}
	r.Rank = j.rank
	r.RelativeError = math.Sqrt(max(j.result.Error2, 0) / s.delta2)
	if j.weights != nil {
		r.WeightedError = math.Sqrt(max(j.result.WeightedError2, 0) / j.dec.Norm2)
	}
	r.Energy = max(1-r.RelativeError*r.RelativeError, 0)
	// Where the rank is less than that of the decomposition, the best error has the
	// singular values between the two in it, which are at least those found.
	best := j.dec.BestError2
	for _, v := range j.dec.Values[j.result.Rank:j.dec.Rank] {
		best += float64(v * v)
	}
	if best > 0 {
		r.AtMost = max(math.Sqrt(j.result.WeightedError2/best), 1)
	}
	return r
}

// accurateValues returns the singular values that are more than lower bounds:
// those up to the rank, or as many as a report wants where all were computed.
func (j *job) accurateValues() []float64 {
	n := j.dec.Rank
	if j.dec.Steps == 0 {
		n = max(n, DefaultMaxRank)
	}
	return j.dec.Values[:min(n, len(j.dec.Values))]
}

// significant rounds values to seven digits: that is all that float32 products
// know of them, and it keeps reports short.
func significant(values []float64) []float64 {
	out := make([]float64, 0, len(values))
	for _, v := range values {
		if v <= 0 {
			break
		}
		_, exp := math.Frexp(v)
		out = append(out, math.Ldexp(math.Round(math.Ldexp(v, 24-exp)), exp-24))
	}
	return out
}

// total adds up the layers.
func (r *ExtractReport) total(jobs []*job) {
	var delta2, error2 float64
	for _, j := range jobs {
		delta2 += j.survey.delta2
		if j.result != nil {
			error2 += j.result.Error2
			r.Parameters += int64(j.rank) * int64(j.delta.rows+j.delta.cols)
		} else {
			error2 += j.survey.delta2
		}
	}
	r.DeltaNorm = math.Sqrt(delta2)
	if delta2 > 0 {
		r.RelativeError = math.Sqrt(max(error2, 0) / delta2)
	}
	r.Energy = max(1-r.RelativeError*r.RelativeError, 0)
}

// report returns that of the extraction, with the tensors that the adapter has.
func (x *extraction) report(a *adapterTensors) *ExtractReport {
	r := &ExtractReport{Base: x.base.Path, Finetuned: x.tuned.Path, DType: x.dtype.String(), Ranks: x.o.describe(),
		Layers: []*LayerReport{}, Saved: []SavedTensor{}, Unchanged: x.same, Left: x.left}
	for _, l := range x.layers {
		changed := false
		for _, j := range x.jobsOf(l) {
			if j.survey.delta2 > 0 {
				changed = true
				r.Layers = append(r.Layers, j.layerReport())
			}
		}
		if !changed {
			r.Unchanged = append(r.Unchanged, l.tensor)
		}
	}
	slices.Sort(r.Unchanged)
	for _, t := range a.saved {
		r.Saved = append(r.Saved, SavedTensor{t.tensor.Name, t.tensor.DType.String(), t.tensor.Shape, t.why})
	}
	r.total(x.jobs)
	for _, t := range a.tensors {
		r.Bytes += t.NumBytes()
	}
	return r
}

// describe says how the ranks were chosen.
func (o *ExtractOptions) describe() string {
	var s string
	switch {
	case o.Rank > 0:
		s = fmt.Sprintf("rank %d", o.Rank)
	case o.Energy > 0:
		s = fmt.Sprintf("energy %g", o.Energy)
	case o.Error > 0:
		s = fmt.Sprintf("relative error %g", o.Error)
	case o.Budget > 0:
		s = "a budget of " + shortBytes(o.Budget)
	default:
		s = "above the noise"
	}
	if o.Rank == 0 {
		s += fmt.Sprintf(", ranks of at most %d", o.maxRank())
	}
	if o.Uniform {
		s += ", the same for all"
	}
	return s
}

// asFloat32 returns the tensor that has the values of x.
func (x *extraction) asFloat32(name string, values []float32) (*formats.Tensor, error) {
	offset, err := x.spool.reserve(int64(4 * len(values)))
	if err != nil {
		return nil, err
	}
	m := &spooledMatrix{spool: x.spool, offset: offset, dtype: formats.F32, rows: 1, cols: len(values), width: len(values)}
	if err := m.WriteFloats(values, 0, 1); err != nil {
		return nil, err
	}
	return x.spool.tensor(formats.Info{Name: name, DType: formats.F32, Shape: []int{len(values)}}, offset), nil
}
