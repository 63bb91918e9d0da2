package transform

import (
	"encoding/json"
	"math"

	"github.com/loratool/loratool/formats"
)

// Parameters returns the number of elements of all tensors.
func (r *QuantizeReport) Parameters() (n int64) {
	for _, t := range r.Tensors {
		n += int64(t.NumElements())
	}
	return n
}

// Bytes returns the size of all tensors' data.
func (r *QuantizeReport) Bytes() (n int64) {
	for _, t := range r.Tensors {
		n += t.NumBytes()
	}
	return n
}

// BitsPerWeight returns the mean storage of an element, in bits.
func (r *QuantizeReport) BitsPerWeight() float64 {
	return 8 * float64(r.Bytes()) / max(1, float64(r.Parameters()))
}

// Fallbacks returns how many tensors have rows that do not fill the blocks of the
// format that the recipe has for them, and got another.
func (r *QuantizeReport) Fallbacks() (n int) {
	for _, t := range r.Tensors {
		if t.Fallback != formats.Invalid {
			n++
		}
	}
	return n
}

// Error returns what was lost of the model: the root of the mean, over all
// elements n, of the squares of their tensors' errors, √(Σn·e²/Σn), where e is
// the weighted error; see [QuantizedTensor.WeightedError]. Tensors that are
// copied count with 0. It is what [FitSize] makes small. It is 0 if nothing was
// measured.
func (r *QuantizeReport) Error() float64 {
	var sum float64
	for _, t := range r.Tensors {
		if t.errors != nil {
			sum += float64(t.NumElements()) * t.errors.total.loss()
		}
	}
	return math.Sqrt(sum / max(1, float64(r.Parameters())))
}

// MarshalJSON returns the report for programs.
func (r *QuantizeReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Parameters    int64              `json:"parameters"`
		Bytes         int64              `json:"bytes"`
		BitsPerWeight float64            `json:"bits_per_weight"`
		Error         float64            `json:"error"`
		Tensors       []*QuantizedTensor `json:"tensors"`
	}{r.Parameters(), r.Bytes(), r.BitsPerWeight(), r.Error(), r.Tensors})
}

// MarshalJSON returns the line for programs.
func (t *QuantizedTensor) MarshalJSON() ([]byte, error) {
	line := struct {
		formats.Info
		From          formats.DType  `json:"from"`
		Bytes         int64          `json:"bytes"`
		Fallback      *formats.DType `json:"instead_of,omitempty"` // what it would be if its rows filled whole blocks
		Weighted      bool           `json:"weighted"`             // by an importance matrix
		RMSE          *float64       `json:"rmse,omitempty"`
		RelativeError *float64       `json:"relative_error,omitempty"`
		WeightedError *float64       `json:"weighted_error,omitempty"`
	}{Info: t.Info, From: t.From, Bytes: t.NumBytes(), Weighted: t.Weighted}
	if t.Fallback != formats.Invalid {
		line.Fallback = &t.Fallback
	}
	if t.Measured() {
		rmse, relative, weighted := t.RMSE(), t.RelativeError(), t.WeightedError()
		line.RMSE, line.RelativeError, line.WeightedError = &rmse, &relative, &weighted
	}
	return json.Marshal(line)
}
