package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loratool/loratool/transform/report"
)

// HTML returns the report as a page: what was lost of each matrix, and after a merge
// what is left of its change.
func (s *ShrinkReport) HTML() ([]byte, error) {
	p := &report.Page{
		Title:    "A checkpoint quantized to " + string(s.Type),
		Subtitle: fmt.Sprintf("%s quantized, %d kept", counted(s.Quantized(), "matrix", "matrices"), len(s.Matrices)-s.Quantized()),
		Tiles: []report.Tile{
			{Value: fmt.Sprintf("%.4g", s.BitsPerWeight), Label: "bits per weight", Note: "of all tensors"},
			{Value: fmt.Sprintf("%.4f", s.Error), Label: "relative error", Note: "‖W − Q(W)‖/‖W‖ of the quantized matrices"},
			{Value: shortBytes(s.Bytes), Label: "size", Note: shortCount(s.Parameters) + " parameters"},
		},
	}
	var modules, merged []string
	var errors, survivals []float64
	for _, l := range s.Measured {
		module := strings.TrimSuffix(l.Name, ".weight")
		modules, errors = append(modules, module), append(errors, l.RelativeError)
		if l.Survival != nil {
			merged, survivals = append(merged, module), append(survivals, *l.Survival)
		}
	}
	if len(modules) > 0 {
		m, err := moduleMap("Error, by layer", "What was lost of each matrix in relation to what there was. A row is a kind of matrix, a column a layer of the model.",
			modules, errors, slices.Max(errors), percents)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, m)
	}
	if len(merged) > 0 {
		m, err := moduleMap("Survival, by layer", "How much of what the merge changed is left after quantization, on average.",
			merged, survivals, 1, percents)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, m)
		p.Footer = "Survival is ⟨Q(B+Δ) − Q(B), Δ⟩/⟨Δ, Δ⟩: 1 if all of the change Δ is left on average. SNR is ‖Δ‖ over the norm of the noise that quantization adds to it."
	}
	p.Sections = append(p.Sections, s.matrixTable(len(merged) > 0))
	return p.HTML()
}

// matrixTable lists all matrices, with what is left of the change if there was one.
func (s *ShrinkReport) matrixTable(merged bool) report.Section {
	t := &report.Table{Columns: []report.Column{{Name: "tensor"}, {Name: "type"}, {Name: "relative error", Number: true}, {Name: "RMSE", Number: true}}}
	if merged {
		t.Columns = append(t.Columns, report.Column{Name: "survival", Number: true, Explain: "of what the merge changed"}, report.Column{Name: "SNR", Number: true})
	}
	measured := map[string]*ShrunkLine{}
	for _, l := range s.Measured {
		measured[l.Name] = l
	}
	number := func(x float64, format string) report.Cell { return report.Cell{Text: fmt.Sprintf(format, x), Sort: x} }
	for _, m := range s.Matrices {
		row := make([]report.Cell, len(t.Columns))
		row[0].Text, row[1].Text = m.Name, string(m.Type)
		if m.Type == "" {
			row[1].Text = "kept: " + m.Kept
		}
		if l := measured[m.Name]; l != nil {
			row[2], row[3] = number(l.RelativeError, "%.4f"), number(l.RMSE, "%.3g")
			if l.Survival != nil {
				row[4] = number(*l.Survival, "%.3f")
			}
			if l.SNR != nil {
				row[5] = number(*l.SNR, "%.3f")
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return report.Section{Title: "All matrices", Table: t}
}
