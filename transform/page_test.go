package transform

import (
	"strings"
	"testing"

	"github.com/loratool/loratool/transform/shrink"
)

// Of a share the map spans from nothing to all, not from the smallest to the largest.
func TestPageSpans(t *testing.T) {
	r := &ExtractReport{Layers: []*LayerReport{
		{Module: "model.layers.0.q_proj", Energy: 0.99, RelativeError: 0.1, SingularValues: []float64{2, 1}},
		{Module: "model.layers.1.q_proj", Energy: 0.98, RelativeError: 0.14, SingularValues: []float64{2, 1}},
	}}
	html, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	page := string(html)
	if !strings.Contains(page, `<p class="scale">0 % <span>`) || !strings.Contains(page, `</span> 100 %</p>`) {
		t.Error("no scale from 0 to 100 %")
	}
	energies := page[strings.Index(page, "Energy kept"):strings.Index(page, "Error, by layer")]
	if strings.Count(energies, "var(--h7)") != 3 { // two cells and the scale
		t.Error("energies of 0.98 and 0.99 have other shades than the darkest")
	}

	// A model without layers has no curve along them.
	r.Layers = []*LayerReport{{Module: "w", Energy: 0.5, RelativeError: 0.7, SingularValues: []float64{1}}}
	if html, err = r.HTML(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(html), "Error, by layer") {
		t.Error("an empty section")
	}
}

func TestPercents(t *testing.T) {
	for _, test := range []struct {
		share float64
		want  string
	}{{0, "0 %"}, {1, "100 %"}, {0.5, "50.0 %"}, {0.99999, "99.999 %"}, {1.005, "100.5 %"}} {
		if got := percents(test.share); got != test.want {
			t.Errorf("percents(%v) = %q, want %q", test.share, got, test.want)
		}
	}
}

// Of a spectrum, which has no factors, the table says which ranks would keep how much;
// of a quantized checkpoint that nothing was merged into, nothing about survival.
func TestPageColumns(t *testing.T) {
	spectrum := &SpectrumReport{Layers: []*LayerSpectrum{
		{LayerReport: &LayerReport{Module: "model.layers.0.q_proj", SingularValues: []float64{2, 1}}, Rank80: 3, Rank90: 17}}}
	html, err := spectrum.HTML()
	if err != nil {
		t.Fatal(err)
	}
	page := string(html)
	if strings.Contains(page, "at most × best") || !strings.Contains(page, ">90 %</th>") || !strings.Contains(page, ">17</td>") || !strings.Contains(page, ">more</td>") {
		t.Error("the table of the spectrum has other columns")
	}

	shrunk := &ShrinkReport{Report: &shrink.Report{Type: shrink.NF4, Matrices: []*shrink.Matrix{{Name: "model.layers.0.q_proj.weight", Type: shrink.NF4}}},
		Measured: []*ShrunkLine{{Name: "model.layers.0.q_proj.weight", RelativeError: 0.09}}}
	if html, err = shrunk.HTML(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(string(html)), "survival") {
		t.Error("a page about survival where nothing was merged")
	}
	survival := 0.99
	shrunk.Measured[0].Survival, shrunk.Measured[0].SNR = &survival, &survival
	if html, err = shrunk.HTML(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(html), "Survival, by layer") || !strings.Contains(string(html), ">0.990</td>") {
		t.Error("nothing about survival after a merge")
	}
}
