package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Heatmap shows a value for every row and column as a shade.
type Heatmap struct {
	Rows, Columns []string
	Values        [][]float64 // by row and column; NaN where there is none
	Low, High     float64     // values of the lightest and the darkest shade: fixed, or from 0, so that small differences look small
	Format        func(float64) string
	XLabel        string
}

// Draw returns the heat map as a figure as wide as the page.
func (h *Heatmap) Draw(title, caption string) (Figure, error) {
	p := newPlot(h.XLabel, "")
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.X.Padding, p.Y.Padding = vg.Points(3), vg.Points(12)
	p.X.Min, p.X.Max = -0.5, float64(len(h.Columns))-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(len(h.Rows))-0.5
	p.X.Tick.Marker, p.Y.Tick.Marker = thinned(h.Columns, 26), reversed(h.Rows)
	p.Y.Tick.Label.Color = Series("ink2")
	p.Add(h)
	s, err := svg(p, 860, 44+24*float64(len(h.Rows)))
	return Figure{Title: title, Caption: caption, SVG: s, Scale: &Scale{h.Format(h.Low), h.Format(h.High)}}, err
}

// Plot draws the cells, with their values where there is room.
func (h *Heatmap) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, row := range h.Values {
		for j, v := range row {
			if math.IsNaN(v) {
				continue
			}
			at := float64(len(h.Rows) - 1 - i)
			const gap = 0.75
			left, right := x(float64(j)-0.5)+gap, x(float64(j)+0.5)-gap
			bottom, top := y(at-0.5)+gap, y(at+0.5)-gap
			share := 0.5
			if h.High > h.Low {
				share = (v - h.Low) / (h.High - h.Low)
			}
			c.FillPolygon(Shade(share), []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
			if right-left < 30 {
				continue
			}
			style := text.Style{Color: Series("hink"), Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: 8.5},
				XAlign: text.XCenter, YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
			if share >= 5./8 { // from h5 on, the page's own colour is easier to read than hink
				style.Color = Series("card")
			}
			c.FillText(style, vg.Point{X: (left + right) / 2, Y: (bottom + top) / 2}, h.Format(v))
		}
	}
}

type names []plot.Tick

func (n names) Ticks(float64, float64) []plot.Tick { return n }

// thinned marks at most so many of the names.
func thinned(labels []string, most int) (ticks names) {
	step := (len(labels) + most - 1) / most
	for i, l := range labels {
		if i%step == 0 {
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: l})
		}
	}
	return ticks
}

// reversed marks all names, the first one on top.
func reversed(labels []string) (ticks names) {
	for i, l := range labels {
		ticks = append(ticks, plot.Tick{Value: float64(len(labels) - 1 - i), Label: l})
	}
	return ticks
}
