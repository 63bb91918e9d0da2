package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Spark returns a small drawing of falling values, on a logarithmic scale of
// three decades, for a cell of a table.
func Spark(values []float64) template.HTML {
	if len(values) == 0 || !(values[0] > 0) {
		return ""
	}
	const width, height, decades = 92, 20, 3
	var b strings.Builder
	for i, v := range values {
		x := float64(width) / 2
		if len(values) > 1 {
			x = 2 + float64(width-4)*float64(i)/float64(len(values)-1)
		}
		y := float64(height - 2)
		if v > 0 {
			y = min(y, 2-float64(height-4)*math.Log10(v/values[0])/decades)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" aria-hidden="true"><polyline fill="none" stroke="var(--s0)" stroke-width="1.5" points="%s"/></svg>`,
		width, height, strings.TrimSpace(b.String())))
}
