package transform

import (
	"math"
	"slices"
	"strconv"

	"github.com/loratool/loratool/transform/report"
)

// mapSection shows a number of each layer as a heat map.
func mapSection(title, about string, layers []*LayerReport, value func(*LayerReport) float64, high float64, format func(float64) string) (report.Section, error) {
	modules, values := make([]string, len(layers)), make([]float64, len(layers))
	for i, l := range layers {
		modules[i], values[i] = l.Module, value(l)
	}
	return moduleMap(title, about, modules, values, high, format)
}

// moduleMap shows a number of each module as a heat map, in which a row is a kind
// of module and a column a layer of the model. The shades go from 0 to high: a span
// that began with the smallest value would make small differences look large.
func moduleMap(title, about string, modules []string, values []float64, high float64, format func(float64) string) (report.Section, error) {
	h := report.Heatmap{Format: format, XLabel: "layer", High: high}
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
