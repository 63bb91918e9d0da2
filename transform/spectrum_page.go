package transform

import (
	"fmt"
	"strconv"

	"github.com/loratool/loratool/transform/report"
)

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
		spectra, above, spectrumTable(r.Layers),
	}
	return p.HTML()
}
