package transform

import (
	"strings"
	"testing"
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
