package main

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/loratool/loratool/transform"
)

// showExtraction prints a table of the layers on standard error: by kinds, or
// with -v each of them.
func (c *call) showExtraction(r *transform.ExtractReport) {
	if c.quiet || c.progressMode == "json" {
		return
	}
	t := table{{"", "layers", "‖Δ‖/‖W‖", "rank", "energy", "error", "≤ best ×", "singular values"}}
	for _, g := range c.groups(r.Layers) {
		t = append(t, []string{g.Name, fmt.Sprint(g.Layers), percentage(g.RelativeDelta), span(g.LowestRank, g.HighestRank),
			percentage(g.Energy), fmt.Sprintf("%.4g", g.RelativeError), factor(g.AtMost), sparkline(g.Curve)})
	}
	for _, line := range t.lines() {
		c.line(line)
	}
	c.infof("%s of ‖Δ‖² kept, relative error %.4g; %d matrices, %d parameters; %d tensors saved in full, %d unchanged",
		percentage(r.Energy), r.RelativeError, len(r.Layers), r.Parameters, len(r.Saved), len(r.Unchanged))
	if len(r.Left) > 0 {
		c.infof("%d tensors left out by --include and --exclude", len(r.Left))
	}
	var noise []string
	for _, l := range r.Layers {
		if l.NoiseEdge > 0 && l.AboveNoise == 0 {
			noise = append(noise, l.Module+": all of its difference can be rounding noise")
		}
	}
	c.warnEach(noise)
}

// groups returns the layers by kinds, or with -v one by one.
func (c *call) groups(layers []*transform.LayerReport) []*transform.LayerGroup {
	if c.verbose {
		return transform.EachLayer(layers)
	}
	return transform.GroupLayers(layers)
}

func (c *call) showSpectrum(r *transform.SpectrumReport) {
	t := table{{"", "layers", "‖Δ‖/‖W‖", "above noise", "80 %", "90 %", "95 %", "99 %", "singular values"}}
	plain := make([]*transform.LayerReport, len(r.Layers))
	byModule := map[string][]*transform.LayerSpectrum{}
	for i, l := range r.Layers {
		plain[i] = l.LayerReport
		byModule[l.Module] = append(byModule[l.Module], l)
	}
	for _, g := range c.groups(plain) {
		row := []string{g.Name, fmt.Sprint(g.Layers), percentage(g.RelativeDelta), span(g.LowestAbove, g.HighestAbove)}
		for _, rank := range []func(l *transform.LayerSpectrum) int{
			func(l *transform.LayerSpectrum) int { return l.Rank80 }, func(l *transform.LayerSpectrum) int { return l.Rank90 },
			func(l *transform.LayerSpectrum) int { return l.Rank95 }, func(l *transform.LayerSpectrum) int { return l.Rank99 },
		} {
			low, high, more := math.MaxInt, 0, false
			for _, m := range g.Modules {
				for _, l := range byModule[m] {
					n := rank(l)
					more = more || n == 0
					if n > 0 {
						low, high = min(low, n), max(high, n)
					}
				}
			}
			switch {
			case high == 0:
				row = append(row, "more")
			case more:
				row = append(row, fmt.Sprintf("%d–more", low))
			default:
				row = append(row, span(low, high))
			}
		}
		t = append(t, append(row, sparkline(g.Curve)))
	}
	for _, line := range t.lines() {
		c.printf("%s\n", line)
	}
	c.printf("\n")
	totals := table{{"rank for all", "energy", "parameters"}}
	for _, x := range r.Totals {
		totals = append(totals, []string{fmt.Sprint(x.Rank), percentage(x.Energy), fmt.Sprint(x.Parameters)})
	}
	for _, line := range totals.lines() {
		c.printf("%s\n", line)
	}
	if n := len(r.Saved); n > 0 {
		c.infof("%s would be saved in full", plural(n, "%d changed tensor", "%d changed tensors"))
	}
}

// A table is rows of cells, the first of which are words and the others numbers.
type table [][]string

// lines returns the rows with the columns aligned.
func (t table) lines() []string {
	width := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(t))
	for k, row := range t {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			switch {
			case i == 0 && i < len(row)-1:
				b.WriteString(cell + pad)
			case i == len(row)-1 && i > 2:
				b.WriteString("  " + cell)
			default:
				b.WriteString("  " + pad + cell)
			}
		}
		lines[k] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

func percentage(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

func span(low, high int) string {
	if low >= high {
		return fmt.Sprint(high)
	}
	return fmt.Sprintf("%d–%d", low, high)
}

// factor prints by how much an error may exceed the best, if that is known.
func factor(x float64) string {
	if x == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f", x)
}

// sparkline draws values between the first and a thousandth of it, on a
// logarithmic scale.
func sparkline(values []float64) string {
	const width, decades = 16, 3
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for i := range min(width, len(values)) {
		v := values[i*len(values)/min(width, len(values))]
		level := 0.0
		if v > 0 && values[0] > 0 {
			level = 1 + math.Log10(v/values[0])/decades
		}
		b.WriteRune(bars[int(math.Round(max(level, 0)*float64(len(bars)-1)))])
	}
	return b.String()
}
