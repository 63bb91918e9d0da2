package shrink

import (
	"github.com/loratool/loratool/formats"
)

// A Report says what becomes of each matrix.
type Report struct {
	Type     Type      `json:"type"`
	Loader   string    `json:"loader"` // who loads the checkpoint
	Matrices []*Matrix `json:"matrices"`
	Notes    []string  `json:"notes,omitempty"` // what a person may want to know
}

// A Matrix is a line of a [Report].
type Matrix struct {
	Name     string `json:"name"` // of the tensor in the source
	Type     Type   `json:"type,omitempty"`
	Kept     string `json:"kept,omitempty"` // why it stays as it is
	Elements int    `json:"elements"`
	Bytes    int64  `json:"bytes"` // with the state beside it

	module string
	source *formats.Tensor
}

// Quantized returns how many matrices are quantized.
func (r *Report) Quantized() (n int) {
	for _, m := range r.Matrices {
		if m.Type != "" {
			n++
		}
	}
	return n
}
