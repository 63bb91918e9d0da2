// Package report makes pages about what was done to a model: one HTML file each,
// with plots, that needs no network and follows the reader's light or dark theme.
package report

import (
	"bytes"
	_ "embed"
	"html/template"
)

// A Page is a report.
type Page struct {
	Title    string
	Subtitle string
	Tiles    []Tile // the numbers that matter most
	Sections []Section
	Footer   string
}

// A Tile is a number with what it means.
type Tile struct {
	Value, Label, Note string
}

// A Section is a part of a page: text, then figures side by side, then a table.
// Any of them may be missing.
type Section struct {
	Title   string
	Text    string
	Legend  []Key
	Figures []Figure
	Wide    bool // one figure a line
	Table   *Table
}

// A Key explains a colour.
type Key struct {
	Series Series
	Label  string
}

// A Figure is a plot with its caption.
type Figure struct {
	Title, Caption string
	SVG            template.HTML
	Scale          *Scale // of its shades, nil if it has none
}

// A Scale says which values the lightest and the darkest shade stand for.
type Scale struct{ Low, High string }

// Shades are the colours between them.
func (*Scale) Shades() []Series {
	return []Series{"h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7"}
}

// A Table has cells that can be sorted by their columns.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// A Column of a table is of numbers, aligned right, or of text.
type Column struct {
	Name, Explain string
	Number        bool
}

// A Cell shows text, or a small drawing, and is sorted by Sort if it is set.
type Cell struct {
	Text string
	Sort float64
	Bar  float64 // share of the cell's width to fill, 0 for none
	SVG  template.HTML
}

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("page").Parse(pageSource))
)

// HTML returns the page.
func (p *Page) HTML() ([]byte, error) {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, struct {
		*Page
		Style  template.CSS
		Script template.JS
	}{p, template.CSS(pageStyle), template.JS(pageScript)})
	return b.Bytes(), err
}
