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

// RelativeError returns what was lost of all tensors that were changed, in
// relation to what there was: √(Σ(x−y)²/Σx²); 0 if nothing was measured.
func (r *QuantizeReport) RelativeError() float64 {
	var s squares
	for _, t := range r.Tensors {
		if t.errors != nil {
			s.error += t.errors.total.error
			s.reference += t.errors.total.reference
		}
	}
	if s.error == 0 {
		return 0
	}
	return math.Sqrt(s.error / s.reference)
}

// MarshalJSON returns the report for programs.
func (r *QuantizeReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Parameters    int64              `json:"parameters"`
		Bytes         int64              `json:"bytes"`
		BitsPerWeight float64            `json:"bits_per_weight"`
		RelativeError float64            `json:"relative_error"`
		Tensors       []*QuantizedTensor `json:"tensors"`
	}{r.Parameters(), r.Bytes(), r.BitsPerWeight(), r.RelativeError(), r.Tensors})
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
	}{Info: t.Info, From: t.From, Bytes: t.NumBytes(), Weighted: t.Weighted}
	if t.Fallback != formats.Invalid {
		line.Fallback = &t.Fallback
	}
	if t.Measured() {
		rmse, relative := t.RMSE(), t.RelativeError()
		line.RMSE, line.RelativeError = &rmse, &relative
	}
	return json.Marshal(line)
}
