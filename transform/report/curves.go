package report

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Curve is a line through points.
type Curve struct {
	X, Y   []float64
	Series Series
	Faint  bool // one of many
	Dashed bool
	Dots   bool // points as well
}

// Curves says how curves are drawn.
type Curves struct {
	XLabel, YLabel string
	LogX, LogY     bool
	Percent        bool // Y is a share
	YMin, YMax     float64
	Width, Height  float64 // in points; 0 for the usual
}

// Draw returns a figure of the curves.
func (o Curves) Draw(title, caption string, curves []Curve) (Figure, error) {
	p := newPlot(o.XLabel, o.YLabel)
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: Series("grid"), Width: vg.Points(0.8)}
	p.Add(grid)
	for _, c := range curves {
		if err := addCurve(p, c, o.LogX, o.LogY); err != nil {
			return Figure{}, err
		}
	}
	o.scale(p)
	width, height := o.Width, o.Height
	if width == 0 {
		width, height = 340, 220
	}
	s, err := svg(p, width, height)
	return Figure{Title: title, Caption: caption, SVG: s}, err
}

func addCurve(p *plot.Plot, c Curve, logX, logY bool) error {
	var points plotter.XYs
	for i, x := range c.X {
		y := c.Y[i]
		if math.IsNaN(y) || math.IsInf(y, 0) || logX && x <= 0 || logY && y <= 0 {
			continue
		}
		points = append(points, plotter.XY{X: x, Y: y})
	}
	if len(points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = c.Series, vg.Points(1.8)
	if c.Faint {
		line.Width = vg.Points(0.9)
	}
	if c.Dashed {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		line.Width = vg.Points(1.2)
	}
	p.Add(line)
	if c.Dots {
		s, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		s.Color, s.Radius, s.Shape = c.Series, vg.Points(2.4), draw.CircleGlyph{}
		p.Add(s)
	}
	return nil
}

func (o Curves) scale(p *plot.Plot) {
	if o.YMax > o.YMin {
		p.Y.Min, p.Y.Max = o.YMin, o.YMax
	}
	if o.LogX && p.X.Min > 0 && p.X.Max > p.X.Min {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, powers{2}
	} else {
		p.X.Tick.Marker = whole{}
	}
	switch {
	case o.LogY && p.Y.Min > 0 && p.Y.Max > p.Y.Min:
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, powers{10}
	case o.Percent:
		p.Y.Tick.Marker = percent{}
	default:
		p.Y.Tick.Marker = few{}
	}
}

// powers marks powers of a base, of which there are not too many.
type powers struct{ base float64 }

func (t powers) Ticks(lo, hi float64) (ticks []plot.Tick) {
	first, last := math.Floor(math.Log(lo)/math.Log(t.base)), math.Ceil(math.Log(hi)/math.Log(t.base))
	step := math.Max(1, math.Ceil((last-first)/8))
	for e := first; e <= last; e += step {
		v := math.Pow(t.base, e)
		if v >= lo*0.999 && v <= hi*1.001 {
			ticks = append(ticks, plot.Tick{Value: v, Label: number(v)})
		}
	}
	if len(ticks) < 2 { // less than a decade
		ticks = nil
		for _, v := range []float64{lo, math.Sqrt(lo * hi), hi} {
			ticks = append(ticks, plot.Tick{Value: v, Label: number(v)})
		}
	}
	return ticks
}

// number returns v in as few signs as tell it.
func number(v float64) string {
	if v >= 0.01 && v < 1e5 {
		return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// few marks a handful of round values.
type few struct{}

func (few) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for _, v := range roundValues(lo, hi, 5) {
		ticks = append(ticks, plot.Tick{Value: v, Label: number(v)})
	}
	return ticks
}

// whole marks integers.
type whole struct{}

func (whole) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for _, v := range roundValues(lo, hi, 6) {
		if v == math.Trunc(v) {
			ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.0f", v)})
		}
	}
	return ticks
}

// percent marks shares.
type percent struct{}

func (percent) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for _, v := range roundValues(lo, hi, 5) {
		ticks = append(ticks, plot.Tick{Value: v, Label: number(100*v) + " %"})
	}
	return ticks
}

// roundValues returns multiples of 1, 2 or 5 times a power of ten.
func roundValues(lo, hi float64, about int) (values []float64) {
	if !(hi > lo) {
		return []float64{lo}
	}
	raw := (hi - lo) / float64(about)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	step := unit
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * unit; step >= raw {
			break
		}
	}
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		values = append(values, i*step+0) // no negative zero
	}
	return values
}
