package transform

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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
			{Value: ranksOf(r.Layers), Label: "rank", Note: fmt.Sprintf("%d matrices", len(r.Layers))},
			{Value: shortCount(r.Parameters), Label: "parameters", Note: fmt.Sprintf("%s of weights", shortBytes(r.Bytes))},
			{Value: strconv.Itoa(len(r.Saved)), Label: "saved in full", Note: fmt.Sprintf("%d tensors unchanged", len(r.Unchanged))},
		},
		Footer: "All errors are in the Frobenius norm. “At most × best” bounds how far the error is from the smallest possible at that rank; the bound rests on an estimate with a safety factor, and the truth is usually much nearer to 1.",
	}
	spectra, err := spectrumSection(r.Layers)
	if err != nil {
		return nil, err
	}
	energy, err := mapSection("Energy kept, by layer", "Share of ‖Δ‖² that the factors keep. A row is a kind of module, a column a layer of the model.",
		r.Layers, func(l *LayerReport) float64 { return l.Energy }, percents)
	if err != nil {
		return nil, err
	}
	errors, err := errorSection(r.Layers)
	if err != nil {
		return nil, err
	}
	p.Sections = []report.Section{energy, errors, spectra, layerTable(r.Layers)}
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
			{Value: strconv.Itoa(len(layers)), Label: "matrices changed", Note: fmt.Sprintf("%d tensors unchanged", len(r.Unchanged))},
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
	above, err := mapSection("Singular values above the noise, by layer",
		"How many stand out of what rounding the fine-tuned weights to their number format explains. A LoRA that was merged shows its rank here.",
		layers, func(l *LayerReport) float64 { return float64(l.AboveNoise) }, func(v float64) string { return strconv.Itoa(int(v)) })
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

// mapSection shows a number of each layer as a heat map.
func mapSection(title, about string, layers []*LayerReport, value func(*LayerReport) float64, format func(float64) string) (report.Section, error) {
	modules, values := make([]string, len(layers)), make([]float64, len(layers))
	for i, l := range layers {
		modules[i], values[i] = l.Module, value(l)
	}
	return moduleMap(title, about, modules, values, format)
}

// moduleMap shows a number of each module as a heat map, in which a row is a kind
// of module and a column a layer of the model.
func moduleMap(title, about string, modules []string, values []float64, format func(float64) string) (report.Section, error) {
	h := report.Heatmap{Format: format, XLabel: "layer", Low: math.Inf(1), High: math.Inf(-1)}
	depth := 0
	for _, m := range modules {
		depth = max(depth, layerIndex(m)+1)
	}
	for i := range depth {
		h.Columns = append(h.Columns, strconv.Itoa(i))
	}
	if slices.ContainsFunc(modules, func(m string) bool { return layerIndex(m) < 0 }) {
		h.Columns = append(h.Columns, "outside")
	}
	rows := map[string]int{}
	counts := map[[2]int]float64{}
	for k, m := range modules {
		kind := KindOf(m)
		i, ok := rows[kind]
		if !ok {
			i = len(h.Rows)
			rows[kind] = i
			h.Rows = append(h.Rows, kind)
			empty := make([]float64, len(h.Columns))
			for j := range empty {
				empty[j] = math.NaN()
			}
			h.Values = append(h.Values, empty)
		}
		cell := [2]int{i, layerIndex(m)}
		if cell[1] < 0 {
			cell[1] = len(h.Columns) - 1
		}
		v := &h.Values[cell[0]][cell[1]]
		if counts[cell]++; counts[cell] == 1 {
			*v = values[k]
		} else { // the experts of a layer share a cell
			*v += (values[k] - *v) / counts[cell]
		}
		h.Low, h.High = min(h.Low, *v), max(h.High, *v)
	}
	f, err := h.Draw("", "")
	return report.Section{Title: title, Text: about, Figures: []report.Figure{f}, Wide: true}, err
}

// layerIndex returns the first number in a module's name, or -1.
func layerIndex(module string) int {
	m := layerNumber.FindString(module)
	for len(m) > 0 && (m[len(m)-1] < '0' || m[len(m)-1] > '9') {
		m = m[:len(m)-1]
	}
	if m == "" {
		return -1
	}
	i, err := strconv.Atoi(m[1:])
	if err != nil || i > 10000 {
		return -1
	}
	return i
}

// errorSection shows the relative error along the layers.
func errorSection(layers []*LayerReport) (report.Section, error) {
	s := report.Section{Title: "Error, by layer", Text: "Relative error ‖Δ − BA‖/‖Δ‖ of the numbers in the files.", Wide: true}
	var curves []report.Curve
	for i, g := range GroupLayers(layers) {
		c := report.Curve{Series: report.SeriesOf(i), Dots: true}
		for _, l := range layers {
			if KindOf(l.Module) == g.Name && l.Expert == nil {
				c.X, c.Y = append(c.X, float64(max(layerIndex(l.Module), 0))), append(c.Y, l.RelativeError)
			}
		}
		curves = append(curves, c)
		s.Legend = append(s.Legend, report.Key{Series: c.Series, Label: g.Name})
	}
	f, err := report.Curves{XLabel: "layer", Width: 860, Height: 260}.Draw("", "", curves)
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
		t.Rows = append(t.Rows, []report.Cell{
			{Text: name}, {Text: fmt.Sprintf("%d × %d", l.Rows, l.Cols), Sort: float64(l.Rows) * float64(l.Cols)},
			{Text: percents(l.RelativeDelta), Sort: l.RelativeDelta},
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

// percents prints a share with one decimal, or with as many as it takes to tell
// almost all from all.
func percents(x float64) string {
	for digits := 1; ; digits++ {
		s := strconv.FormatFloat(100*x, 'f', digits, 64)
		if digits == 4 || x >= 1 || !strings.HasPrefix(s, "100") {
			return s + " %"
		}
	}
}

func ranksOf(layers []*LayerReport) string {
	low, high := math.MaxInt, 0
	for _, l := range layers {
		low, high = min(low, l.Rank), max(high, l.Rank)
	}
	if low >= high {
		return strconv.Itoa(high)
	}
	return fmt.Sprintf("%d–%d", low, high)
}

func shortCount(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return strconv.FormatInt(n, 10)
}

func shortBytes(n int64) string { return shortCount(n) + "B" }
