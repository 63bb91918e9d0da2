package transform

import (
	"fmt"
	"strconv"

	"github.com/loratool/loratool/transform/report"
)

// extractTable lists all layers, with how much of each the factors keep.
func extractTable(layers []*LayerReport) report.Section {
	columns := []report.Column{
		{Name: "rank", Number: true}, {Name: "energy", Number: true, Explain: "share of ‖Δ‖² kept"},
		{Name: "error", Number: true, Explain: "‖Δ − BA‖/‖Δ‖ of the numbers in the files"},
		{Name: "at most × best", Number: true, Explain: "bound of the error relative to the smallest possible at this rank"},
	}
	return layerTable(layers, columns, func(i int) []report.Cell {
		l, bound := layers[i], "–"
		if l.AtMost > 0 {
			bound = fmt.Sprintf("%.4f", l.AtMost)
		}
		return []report.Cell{
			{Text: strconv.Itoa(l.Rank), Sort: float64(l.Rank) + 1e-9},
			{Text: percents(l.Energy), Sort: l.Energy + 1e-12, Bar: l.Energy},
			{Text: fmt.Sprintf("%.4f", l.RelativeError), Sort: l.RelativeError + 1e-12},
			{Text: bound, Sort: l.AtMost + 1e-12},
		}
	})
}

// spectrumTable lists all layers, with the ranks that keep so much of each.
func spectrumTable(spectra []*LayerSpectrum) report.Section {
	var columns []report.Column
	for _, share := range []string{"80 %", "90 %", "95 %", "99 %"} {
		columns = append(columns, report.Column{Name: share, Number: true, Explain: "the smallest rank that keeps " + share + " of ‖Δ‖²"})
	}
	layers := make([]*LayerReport, len(spectra))
	for i, l := range spectra {
		layers[i] = l.LayerReport
	}
	return layerTable(layers, columns, func(i int) (cells []report.Cell) {
		l := spectra[i]
		for _, rank := range []int{l.Rank80, l.Rank90, l.Rank95, l.Rank99} {
			if rank == 0 {
				cells = append(cells, report.Cell{Text: "more", Sort: 1e9})
			} else {
				cells = append(cells, report.Cell{Text: strconv.Itoa(rank), Sort: float64(rank)})
			}
		}
		return cells
	})
}

// layerTable lists all layers: what they are, cells of the page's own, and their
// singular values.
func layerTable(layers []*LayerReport, own []report.Column, cells func(i int) []report.Cell) report.Section {
	t := &report.Table{Columns: []report.Column{
		{Name: "module"}, {Name: "shape", Number: true},
		{Name: "‖Δ‖/‖W‖", Number: true, Explain: "size of the change relative to the base's weights"},
	}}
	t.Columns = append(append(t.Columns, own...),
		report.Column{Name: "noise edge", Number: true, Explain: "largest singular value that rounding the fine-tuned weights explains"},
		report.Column{Name: "above", Number: true, Explain: "singular values above the noise, of those that were found"},
		report.Column{Name: "singular values"},
	)
	for i, l := range layers {
		name := l.Module
		if l.Expert != nil {
			name = fmt.Sprintf("%s[%d]", name, *l.Expert)
		}
		relative := "–" // of a base that is zero
		if l.RelativeDelta > 0 {
			relative = percents(l.RelativeDelta)
		}
		row := []report.Cell{
			{Text: name}, {Text: fmt.Sprintf("%d × %d", l.Rows, l.Cols), Sort: float64(l.Rows) * float64(l.Cols)},
			{Text: relative, Sort: l.RelativeDelta},
		}
		t.Rows = append(t.Rows, append(append(row, cells(i)...),
			report.Cell{Text: fmt.Sprintf("%.3g", l.NoiseEdge), Sort: l.NoiseEdge + 1e-300},
			report.Cell{Text: strconv.Itoa(l.AboveNoise), Sort: float64(l.AboveNoise) + 1e-9},
			report.Cell{SVG: report.Spark(l.SingularValues)},
		))
	}
	return report.Section{Title: "All layers", Table: t}
}
