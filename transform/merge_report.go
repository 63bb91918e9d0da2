package transform

import (
	"fmt"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/adapter"
)

// A MergeReport says what a merge does, tensor by tensor. It is complete before
// anything is written.
type MergeReport struct {
	Base      string            `json:"base"`
	Rounding  Rounding          `json:"rounding"`
	Adapters  []MergedAdapter   `json:"adapters"`
	Tensors   []MergedTensor    `json:"tensors"`   // those that change
	Unchanged int               `json:"unchanged"` // how many are copied
	Unmatched []adapter.Problem `json:"unmatched"` // left out; see MergeOptions.AllowUnmatched
	Config    []string          `json:"config"`    // changes of config.json
	Tokenizer string            `json:"tokenizer"` // folder of the adapter that the tokenizer comes from; empty for the base's
	Notes     []string          `json:"notes"`     // what a person may want to know
}

// A MergedAdapter is an adapter of a [MergeReport].
type MergedAdapter struct {
	Path     string  `json:"path"`
	Type     string  `json:"type"`             // peft_type
	SHA256   string  `json:"sha256,omitempty"` // of the weights' file; empty for a dry run
	Strength float64 `json:"strength"`
	Tensors  int     `json:"tensors"` // in the file
	Used     int     `json:"used"`    // of them
}

// A MergedTensor is a line of a [MergeReport].
type MergedTensor struct {
	Name   string           `json:"name"`
	From   string           `json:"from,omitempty"` // number format in the base; empty if the base has no such tensor
	To     string           `json:"to"`
	Shape  []int            `json:"shape"`
	Action string           `json:"action"`           // "merged", "replaced", "created" or "copied"
	Source string           `json:"source,omitempty"` // what it is a copy of, or the adapter that replaces it
	Ops    []MergedTensorOp `json:"ops,omitempty"`
}

// A MergedTensorOp is what one adapter does to a tensor.
type MergedTensorOp struct {
	adapter.OpInfo
	Adapter  int     `json:"adapter"` // index in MergeReport.Adapters
	Strength float64 `json:"strength"`
}

func newMergeReport(base *formats.Model, plan *adapter.Plan, merged []MergedAdapter, o *MergeOptions) *MergeReport {
	r := &MergeReport{Base: base.Path, Rounding: o.Rounding, Adapters: merged, Unmatched: plan.Problems, Config: plan.Changes}
	for i := range merged {
		merged[i].Used = plan.Consumed[i]
	}
	if plan.Tokenizer >= 0 {
		r.Tokenizer = merged[plan.Tokenizer].Path
		if o.GrowVocab {
			r.Notes = append(r.Notes, fmt.Sprintf("the vocabulary is that of %s", r.Tokenizer))
		}
	}
	for _, t := range plan.Targets {
		if !t.Touched() {
			r.Unchanged++
			continue
		}
		r.Tensors = append(r.Tensors, reportTensor(t, merged, o))
	}
	return r
}

func reportTensor(t *adapter.Target, merged []MergedAdapter, o *MergeOptions) MergedTensor {
	line := MergedTensor{Name: t.Name, To: mergedTensor(t, o).DType.String(), Shape: t.Shape}
	if t.Base != nil {
		line.From = t.Base.DType.String()
	}
	switch {
	case t.Base == nil && t.SourceOf >= 0:
		line.Action, line.Source = "created", merged[t.SourceOf].Path
	case t.Base == nil:
		line.Action, line.Source = "created", t.Source.Name
	case len(t.Ops) > 0:
		line.Action = "merged"
	case t.SourceOf >= 0:
		line.Action, line.Source = "replaced", merged[t.SourceOf].Path
	default:
		line.Action, line.Source = "copied", t.Source.Name
	}
	for _, op := range t.Ops {
		line.Ops = append(line.Ops, MergedTensorOp{op.Describe(), op.Adapter, op.Strength})
	}
	return line
}
