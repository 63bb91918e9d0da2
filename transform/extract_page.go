package transform

import (
	"fmt"
	"strconv"

	"github.com/loratool/loratool/transform/report"
)

// HTML returns the report as a page with plots.
func (r *ExtractReport) HTML() ([]byte, error) {
	p := &report.Page{
		Title:    "LoRA extracted from a fine-tune",
		Subtitle: fmt.Sprintf("%s − %s · %s · factors in %s", r.Finetuned, r.Base, r.Ranks, r.DType),
		Tiles: []report.Tile{
			{Value: percents(r.Energy), Label: "energy kept", Note: "share of ‖Δ‖² over all layers"},
			{Value: fmt.Sprintf("%.4f", r.RelativeError), Label: "relative error", Note: "‖Δ − BA‖/‖Δ‖ of the numbers in the files"},
			{Value: ranksOf(r.Layers), Label: "rank", Note: counted(len(r.Layers), "matrix", "matrices")},
			{Value: shortCount(r.Parameters), Label: "parameters", Note: fmt.Sprintf("%s of weights", shortBytes(r.Bytes))},
			{Value: strconv.Itoa(len(r.Saved)), Label: "saved in full", Note: counted(len(r.Unchanged), "tensor", "tensors") + " unchanged"},
		},
		Footer: "All errors are in the Frobenius norm. “At most × best” bounds how far the error is from the smallest possible at that rank; the bound rests on an estimate with a safety factor, and the truth is usually much nearer to 1.",
	}
	spectra, err := spectrumSection(r.Layers)
	if err != nil {
		return nil, err
	}
	energy, err := mapSection("Energy kept, by layer", "Share of ‖Δ‖² that the factors keep. A row is a kind of module, a column a layer of the model.",
		r.Layers, func(l *LayerReport) float64 { return l.Energy }, 1, percents)
	if err != nil {
		return nil, err
	}
	errors, err := errorSection(r.Layers)
	if err != nil {
		return nil, err
	}
	p.Sections = []report.Section{energy}
	if len(errors.Legend) > 0 {
		p.Sections = append(p.Sections, errors)
	}
	p.Sections = append(p.Sections, spectra, layerTable(r.Layers))
	return p.HTML()
}

// HTML returns the report as a page with plots.
func (r *SpectrumReport) HTML() ([]byte, error) {
	layers := make([]*LayerReport, len(r.Layers))
	for i, l := range r.Layers {
		layers[i] = l.LayerReport
	}
	p := &report.Page{
		Title:    "How low is the rank of this fine-tune?",
		Subtitle: fmt.Sprintf("%s − %s", r.Finetuned, r.Base),
		Tiles: []report.Tile{
			{Value: strconv.Itoa(len(layers)), Label: "matrices changed", Note: counted(len(r.Unchanged), "tensor", "tensors") + " unchanged"},
		},
		Footer: "Singular values of finetuned − base, each at most the true one and right to about the fourth digit.",
	}
	var curve report.Curve
	curve.Series, curve.Dots = report.SeriesOf(0), true
	for _, t := range r.Totals {
		curve.X, curve.Y = append(curve.X, float64(t.Rank)), append(curve.Y, t.Energy)
		if t.Rank == 8 || t.Rank == 16 || t.Rank == 32 || t.Rank == 64 {
			p.Tiles = append(p.Tiles, report.Tile{Value: percents(t.Energy), Label: fmt.Sprintf("energy at rank %d", t.Rank), Note: shortCount(t.Parameters) + " parameters"})
		}
	}
	total, err := report.Curves{XLabel: "rank of every layer", YLabel: "", LogX: true, Percent: true, YMin: 0, YMax: 1, Width: 860, Height: 250}.
		Draw("", "", []report.Curve{curve})
	if err != nil {
		return nil, err
	}
	spectra, err := spectrumSection(layers)
	if err != nil {
		return nil, err
	}
	most := 1.0
	for _, l := range layers {
		most = max(most, float64(l.AboveNoise))
	}
	above, err := mapSection("Singular values above the noise, by layer",
		"How many stand out of what rounding the fine-tuned weights to their number format explains. A LoRA that was merged shows its rank here.",
		layers, func(l *LayerReport) float64 { return float64(l.AboveNoise) }, most, func(v float64) string { return strconv.Itoa(int(v)) })
	if err != nil {
		return nil, err
	}
	p.Sections = []report.Section{
		{Title: "Energy kept by one rank for all layers", Text: "Share of Σ‖Δ‖² that the best approximation of each rank keeps.", Figures: []report.Figure{total}, Wide: true},
		spectra, above, layerTable(layers),
	}
	return p.HTML()
}

// spectrumSection shows the singular values, a plot for every kind of module.
func spectrumSection(layers []*LayerReport) (report.Section, error) {
	s := report.Section{Title: "Singular values",
		Text: "Each line is a layer, from the first (pale) to the last (strong), relative to its largest value. Dashed: the edge below which rounding noise explains them.",
	}
	byModule := map[string][]*LayerReport{}
	for _, l := range layers {
		byModule[KindOf(l.Module)] = append(byModule[KindOf(l.Module)], l)
	}
	for _, g := range GroupLayers(layers) {
		var curves []report.Curve
		members := byModule[g.Name]
		edge, longest := 0.0, 0
		for i, l := range members {
			if len(l.SingularValues) == 0 {
				continue
			}
			shade := 0.7
			if n := len(members); n > 1 {
				shade = 0.4 + 0.55*float64(i)/float64(n-1)
			}
			c := report.Curve{Series: report.Shade(shade), Faint: len(members) > 4}
			for k, v := range l.SingularValues {
				c.X, c.Y = append(c.X, float64(k+1)), append(c.Y, v/l.SingularValues[0])
			}
			longest = max(longest, len(l.SingularValues))
			edge += l.NoiseEdge / l.SingularValues[0] / float64(len(members))
			curves = append(curves, c)
		}
		if edge > 1e-6 && longest > 1 {
			curves = append(curves, report.Curve{Series: "s1", Dashed: true, X: []float64{1, float64(longest)}, Y: []float64{edge, edge}})
		}
		f, err := report.Curves{XLabel: "index", LogX: true, LogY: true}.Draw(g.Name, "", curves)
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, f)
	}
	return s, nil
}

// errorSection shows the relative error along the layers; it is empty if the model has
// none.
func errorSection(layers []*LayerReport) (report.Section, error) {
	s := report.Section{Title: "Error, by layer", Text: "Relative error ‖Δ − BA‖/‖Δ‖ of the numbers in the files. What is in no layer is in the table below.", Wide: true}
	var curves []report.Curve
	highest := 0.0
	for i, g := range GroupLayers(layers) {
		c := report.Curve{Series: report.SeriesOf(i), Dots: true}
		for _, l := range layers {
			if KindOf(l.Module) == g.Name && l.Expert == nil && layerIndex(l.Module) >= 0 {
				c.X, c.Y = append(c.X, float64(layerIndex(l.Module))), append(c.Y, l.RelativeError)
				highest = max(highest, l.RelativeError)
			}
		}
		if len(c.X) == 0 {
			continue
		}
		curves = append(curves, c)
		s.Legend = append(s.Legend, report.Key{Series: c.Series, Label: g.Name})
	}
	f, err := report.Curves{XLabel: "layer", YMax: max(1.05*highest, 1e-6), Width: 860, Height: 260}.Draw("", "", curves)
	s.Figures = []report.Figure{f}
	return s, err
}

// layerTable lists all layers.
func layerTable(layers []*LayerReport) report.Section {
	t := &report.Table{Columns: []report.Column{
		{Name: "module"}, {Name: "shape", Number: true},
		{Name: "‖Δ‖/‖W‖", Number: true, Explain: "size of the change relative to the base's weights"},
		{Name: "rank", Number: true}, {Name: "energy", Number: true, Explain: "share of ‖Δ‖² kept"},
		{Name: "error", Number: true, Explain: "‖Δ − BA‖/‖Δ‖ of the numbers in the files"},
		{Name: "at most × best", Number: true, Explain: "bound of the error relative to the smallest possible at this rank"},
		{Name: "noise edge", Number: true, Explain: "largest singular value that rounding the fine-tuned weights explains"},
		{Name: "above", Number: true, Explain: "singular values above the noise, of those that were found"},
		{Name: "singular values"},
	}}
	for _, l := range layers {
		name := l.Module
		if l.Expert != nil {
			name = fmt.Sprintf("%s[%d]", name, *l.Expert)
		}
		bound := "–"
		if l.AtMost > 0 {
			bound = fmt.Sprintf("%.4f", l.AtMost)
		}
		relative := "–" // of a base that is zero
		if l.RelativeDelta > 0 {
			relative = percents(l.RelativeDelta)
		}
		t.Rows = append(t.Rows, []report.Cell{
			{Text: name}, {Text: fmt.Sprintf("%d × %d", l.Rows, l.Cols), Sort: float64(l.Rows) * float64(l.Cols)},
			{Text: relative, Sort: l.RelativeDelta},
			{Text: strconv.Itoa(l.Rank), Sort: float64(l.Rank) + 1e-9},
			{Text: percents(l.Energy), Sort: l.Energy + 1e-12, Bar: l.Energy},
			{Text: fmt.Sprintf("%.4f", l.RelativeError), Sort: l.RelativeError + 1e-12},
			{Text: bound, Sort: l.AtMost + 1e-12},
			{Text: fmt.Sprintf("%.3g", l.NoiseEdge), Sort: l.NoiseEdge + 1e-300},
			{Text: strconv.Itoa(l.AboveNoise), Sort: float64(l.AboveNoise) + 1e-9},
			{SVG: report.Spark(l.SingularValues)},
		})
	}
	return report.Section{Title: "All layers", Table: t}
}
