package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loratool/loratool/transform/report"
)

// HTML returns the report as a page.
func (s *ShrinkReport) HTML() ([]byte, error) {
	p := &report.Page{
		Title:    "A checkpoint quantized to " + string(s.Type),
		Subtitle: fmt.Sprintf("%s quantized, %d kept", counted(s.Quantized(), "matrix", "matrices"), len(s.Matrices)-s.Quantized()),
		Tiles: []report.Tile{
			{Value: fmt.Sprintf("%.4g", s.BitsPerWeight), Label: "bits per weight", Note: "of all tensors"},
			{Value: fmt.Sprintf("%.4f", s.Error), Label: "relative error", Note: "‖W − Q(W)‖/‖W‖ of the quantized matrices"},
			{Value: shortBytes(s.Bytes), Label: "size", Note: shortCount(s.Parameters) + " parameters"},
		},
		Footer: "Survival is ⟨Q(B+Δ) − Q(B), Δ⟩/⟨Δ, Δ⟩: 1 if all of the change Δ is left on average. SNR is ‖Δ‖ over the norm of the noise that quantization adds to it.",
	}
	table := &report.Table{Columns: []report.Column{{Name: "tensor"}, {Name: "type"}, {Name: "relative error", Number: true}, {Name: "RMSE", Number: true},
		{Name: "survival", Number: true, Explain: "of what the merge changed"}, {Name: "SNR", Number: true}}}
	measured := map[string]*ShrunkLine{}
	for _, l := range s.Measured {
		measured[l.Name] = l
	}
	number := func(x float64, format string) report.Cell { return report.Cell{Text: fmt.Sprintf(format, x), Sort: x} }
	var modules, merged []string
	var errors, survivals []float64
	for _, m := range s.Matrices {
		if m.Type == "" {
			table.Rows = append(table.Rows, []report.Cell{{Text: m.Name}, {Text: "kept: " + m.Kept}, {}, {}, {}, {}})
			continue
		}
		row := []report.Cell{{Text: m.Name}, {Text: string(m.Type)}, {}, {}, {}, {}}
		if l := measured[m.Name]; l != nil {
			module := strings.TrimSuffix(m.Name, ".weight")
			modules, errors = append(modules, module), append(errors, l.RelativeError)
			row[2], row[3] = number(l.RelativeError, "%.4f"), number(l.RMSE, "%.3g")
			if l.Survival != nil {
				merged, survivals = append(merged, module), append(survivals, *l.Survival)
				row[4] = number(*l.Survival, "%.3f")
			}
			if l.SNR != nil {
				row[5] = number(*l.SNR, "%.3f")
			}
		}
		table.Rows = append(table.Rows, row)
	}
	if len(modules) > 0 {
		errorMap, err := moduleMap("Error, by layer", "What was lost of each matrix in relation to what there was. A row is a kind of matrix, a column a layer of the model.",
			modules, errors, slices.Max(errors), percents)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, errorMap)
	}
	if len(merged) > 0 {
		survivalMap, err := moduleMap("Survival, by layer", "How much of what the merge changed is left after quantization, on average.",
			merged, survivals, 1, percents)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, survivalMap)
	}
	p.Sections = append(p.Sections, report.Section{Title: "All matrices", Table: table})
	return p.HTML()
}
