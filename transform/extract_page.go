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
	p.Sections = append(p.Sections, spectra, extractTable(r.Layers))
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
