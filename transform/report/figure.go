package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Series is a colour of the page's theme: "s0" to "s9" for data of different
// kinds, "h0" to "h7" for values from small to large, "ink", "ink2", "ink3" and
// "grid".
type Series string

// SeriesOf returns the colour of the i-th kind; beyond the ninth all are grey.
func SeriesOf(i int) Series { return Series(fmt.Sprintf("s%d", min(i, 9))) }

// Shade returns the colour of a value between 0 and 1.
func Shade(x float64) Series { return Series(fmt.Sprintf("h%d", min(max(int(x*8), 0), 7))) }

// themed are the colours that the plots are drawn in. Each is replaced by the
// variable of the page's style sheet, so that plots follow the theme.
var themed = []Series{"ink", "ink2", "ink3", "grid", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
	"h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "hink", "card"}

// RGBA returns the colour that stands for the series in a plot.
func (s Series) RGBA() (r, g, b, a uint32) {
	for i, t := range themed {
		if t == s {
			return color.NRGBA{R: uint8(10 + 8*i), G: 3, B: 250, A: 255}.RGBA()
		}
	}
	return color.Black.RGBA()
}

// newPlot returns a plot in the page's style: a light grid, no frame, and words
// in the page's font.
func newPlot(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color = Series("grid")
		axis.LineStyle.Width = vg.Points(1)
		axis.Padding = vg.Points(3)
		axis.Tick.Length = 0
		axis.Tick.LineStyle.Width = 0
		axis.Tick.Label.Color = Series("ink3")
		axis.Tick.Label.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: 9}
		axis.Label.TextStyle.Color = Series("ink2")
		axis.Label.TextStyle.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: 9.5}
	}
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	return p
}

// svg returns the plot as an element that takes its colours and fonts from the
// page.
func svg(p *plot.Plot, width, height float64) (template.HTML, error) {
	c := vgsvg.New(vg.Length(width), vg.Length(height))
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	return template.HTML(theme(b.String())), nil
}

var (
	beforeElement = regexp.MustCompile(`(?s)^.*?<svg`)
	sizes         = regexp.MustCompile(`<svg width="[^"]*" height="[^"]*"`)
	families      = regexp.MustCompile(`(?:font-family:[^;"]*|font-variant:[^;"]*|font-weight:normal|font-style:normal);?\n?`)
	hexColours    = regexp.MustCompile(`#[0-9A-F]{6}`)
)

// theme replaces what an SVG file fixes by what the page decides.
func theme(s string) string {
	s = beforeElement.ReplaceAllString(s, "<svg")
	s = sizes.ReplaceAllString(s, `<svg role="img"`)
	s = families.ReplaceAllString(s, "")
	names := map[string]string{}
	for _, t := range themed {
		r, g, b, _ := t.RGBA()
		names[fmt.Sprintf("#%02X%02X%02X", r>>8, g>>8, b>>8)] = "var(--" + string(t) + ")"
	}
	return strings.TrimSpace(hexColours.ReplaceAllStringFunc(s, func(hex string) string {
		if name, ok := names[hex]; ok {
			return name
		}
		return hex
	}))
}
