package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
)

func samplePage(t *testing.T) []byte {
	t.Helper()
	curves, err := Curves{XLabel: "index", LogX: true, LogY: true}.Draw("falling", "a caption", []Curve{
		{X: []float64{1, 2, 3, 4}, Y: []float64{1, 0.5, 0, math.NaN()}, Series: SeriesOf(0), Dots: true},
		{X: []float64{1, 4}, Y: []float64{0.1, 0.1}, Series: SeriesOf(20), Dashed: true},
		{Series: SeriesOf(1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	heat := Heatmap{Rows: []string{"q_proj", "k_proj"}, Columns: []string{"0", "1"}, Values: [][]float64{{0.1, 0.9}, {math.NaN(), 0.5}},
		Low: 0.1, High: 0.9, Format: func(v float64) string { return number(v) }}
	figure, err := heat.Draw("heat", "")
	if err != nil {
		t.Fatal(err)
	}
	page := &Page{Title: `A <page> & "more"`, Tiles: []Tile{{Value: "1", Label: "one"}},
		Sections: []Section{{Title: "s", Figures: []Figure{curves, figure}, Legend: []Key{{SeriesOf(0), "zero"}},
			Table: &Table{Columns: []Column{{Name: "name"}, {Name: "n", Number: true}},
				Rows: [][]Cell{{{Text: "<b>"}, {Text: "3", Sort: 3, SVG: Spark([]float64{1, 0.1, 0})}}}}}}}
	html, err := page.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return html
}

// The page must work without a network, take all colours from its theme, and
// escape what it is given.
func TestPageStandsAlone(t *testing.T) {
	html := string(samplePage(t))
	for _, bad := range []string{"http:", "https:", "src=", "@import", "url(", "<page>", "<b>", "ZgotmplZ"} {
		// The namespace of SVG is a name, not an address.
		text := regexp.MustCompile(`xmlns(:\w+)?="[^"]*"`).ReplaceAllString(html, "")
		if i := strings.Index(text, bad); i >= 0 {
			t.Errorf("the page contains %q: …%s", bad, text[max(0, i-60):min(len(text), i+60)])
		}
	}
	body := html[strings.Index(html, "<body>"):]
	if c := hexColours.FindString(body); c != "" {
		t.Errorf("the body has the fixed colour %s", c)
	}
	for _, s := range []string{"var(--s0)", "var(--s9)", "var(--grid)", "var(--h0)", "var(--h7)"} {
		if !strings.Contains(body, s) {
			t.Errorf("no %s in the body", s)
		}
	}
}

// Every plot is well-formed by itself.
func TestFiguresAreWellFormed(t *testing.T) {
	html := samplePage(t)
	n := 0
	for {
		from := bytes.Index(html, []byte("<svg"))
		if from < 0 {
			break
		}
		to := from + bytes.Index(html[from:], []byte("</svg>")) + len("</svg>")
		d := xml.NewDecoder(bytes.NewReader(html[from:to]))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("figure %d: %v", n, err)
			}
		}
		html = html[to:]
		n++
	}
	if n != 3 {
		t.Errorf("%d drawings, want 3", n)
	}
}

func TestSameBytes(t *testing.T) {
	if !bytes.Equal(samplePage(t), samplePage(t)) {
		t.Error("the same page twice has different bytes")
	}
}

// A shade stands for a value by the map's own span, whatever the values are, and
// the scale says what the span is.
func TestHeatmapSpan(t *testing.T) {
	h := Heatmap{Rows: []string{"a"}, Columns: []string{"0", "1"}, Values: [][]float64{{0.9, 0.95}}, High: 1, Format: number}
	f, err := h.Draw("", "")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(f.SVG), "var(--h7)"); n != 2 {
		t.Errorf("%d cells have the darkest shade, want both", n)
	}
	if *f.Scale != (Scale{"0", "1"}) {
		t.Errorf("the scale is %v", *f.Scale)
	}
	page := &Page{Sections: []Section{{Figures: []Figure{f}}}}
	html, err := page.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if want := `<p class="scale">0 <span><i style="background:var(--h0)"></i>`; !strings.Contains(string(html), want) {
		t.Errorf("the page has no %s", want)
	}
}
