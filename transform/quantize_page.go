package transform

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/report"
)

// HTML returns the report as a page with plots.
func (r *QuantizeReport) HTML() ([]byte, error) {
	totals := r.Totals()
	p := &report.Page{
		Title:    "Quantized model",
		Subtitle: counted(len(r.Tensors), "tensor", "tensors") + " in " + counted(len(totals), "number format", "number formats"),
		Tiles: []report.Tile{
			{Value: fmt.Sprintf("%.2f", r.BitsPerWeight()), Label: "bits per weight"},
			{Value: shortBytes(r.Bytes()), Label: "tensors", Note: shortCount(r.Parameters()) + " parameters"},
			{Value: fmt.Sprintf("%.4f", r.Error()), Label: "error", Note: "root mean square, over all weights, of their tensors' errors"},
			{Value: strconv.Itoa(r.Fallbacks()), Label: "other formats", Note: "because rows do not fill blocks"},
		},
		Footer: "The error of a tensor is √(Σw(x−y)²/Σwx²) over its elements x, which became y, with the importance w of their columns if there is an importance matrix, and 1 if not. Tensors that are copied count with 0.",
	}
	var modules []string
	var bits, errors []float64
	for _, t := range r.Tensors {
		if t.Measured() {
			modules = append(modules, strings.TrimSuffix(t.Name, ".weight"))
			bits, errors = append(bits, t.DType.Bits()), append(errors, t.WeightedError())
		}
	}
	if len(modules) > 0 {
		bitMap, err := moduleMap("Bits per weight, by layer", "A row is a kind of tensor, a column a layer of the model.",
			modules, bits, slices.Max(bits), func(v float64) string { return fmt.Sprintf("%.3g", v) })
		if err != nil {
			return nil, err
		}
		errorMap, err := moduleMap("Error, by layer", "What was lost of each tensor in relation to what there was.",
			modules, errors, slices.Max(errors), percents)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, bitMap, errorMap)
	}
	p.Sections = append(p.Sections, formatTable(totals, r.Bytes()), tensorTable(r.Tensors))
	return p.HTML()
}

// A FormatTotal is what the tensors of one format take together.
type FormatTotal struct {
	DType   formats.DType
	Tensors int
	Bytes   int64
}

// Totals returns the formats of the result, the one that takes most first.
func (r *QuantizeReport) Totals() []FormatTotal {
	var totals []FormatTotal
	for _, t := range r.Tensors {
		i := slices.IndexFunc(totals, func(f FormatTotal) bool { return f.DType == t.DType })
		if i < 0 {
			i, totals = len(totals), append(totals, FormatTotal{DType: t.DType})
		}
		totals[i].Tensors++
		totals[i].Bytes += t.NumBytes()
	}
	slices.SortStableFunc(totals, func(a, b FormatTotal) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return totals
}

func formatTable(totals []FormatTotal, bytes int64) report.Section {
	t := &report.Table{Columns: []report.Column{
		{Name: "format"}, {Name: "bits", Number: true}, {Name: "tensors", Number: true}, {Name: "size", Number: true}, {Name: "share", Number: true},
	}}
	for _, f := range totals {
		share := float64(f.Bytes) / float64(max(1, bytes))
		t.Rows = append(t.Rows, []report.Cell{
			{Text: f.DType.String()},
			{Text: fmt.Sprintf("%.4g", f.DType.Bits()), Sort: f.DType.Bits()},
			{Text: strconv.Itoa(f.Tensors), Sort: float64(f.Tensors)},
			{Text: shortBytes(f.Bytes), Sort: float64(f.Bytes)},
			{Text: percents(share), Sort: share + 1e-12, Bar: share},
		})
	}
	return report.Section{Title: "Formats", Table: t}
}

func tensorTable(tensors []*QuantizedTensor) report.Section {
	t := &report.Table{Columns: []report.Column{
		{Name: "tensor"}, {Name: "shape", Number: true}, {Name: "from"}, {Name: "to"},
		{Name: "size", Number: true},
		{Name: "RMSE", Number: true, Explain: "√(Σ(x−y)²/n)"},
		{Name: "relative error", Number: true, Explain: "√(Σ(x−y)²/Σx²)"},
		{Name: "weighted error", Number: true, Explain: "√(Σw(x−y)²/Σwx²), with the importance of the columns"},
	}}
	for _, x := range tensors {
		to := x.DType.String()
		if x.Fallback != formats.Invalid {
			to += fmt.Sprintf(" (for %v)", x.Fallback)
		}
		row := []report.Cell{
			{Text: x.Name},
			{Text: strings.Trim(strings.ReplaceAll(fmt.Sprint(x.Shape), " ", " × "), "[]"), Sort: float64(x.NumElements()) + 1e-9},
			{Text: x.From.String()}, {Text: to},
			{Text: shortBytes(x.NumBytes()), Sort: float64(x.NumBytes()) + 1e-9},
		}
		if x.Measured() {
			row = append(row,
				report.Cell{Text: fmt.Sprintf("%.3g", x.RMSE()), Sort: x.RMSE() + 1e-300},
				report.Cell{Text: fmt.Sprintf("%.4f", x.RelativeError()), Sort: x.RelativeError() + 1e-12},
				report.Cell{Text: fmt.Sprintf("%.4f", x.WeightedError()), Sort: x.WeightedError() + 1e-12})
		} else {
			row = append(row, report.Cell{Text: "–"}, report.Cell{Text: "–"}, report.Cell{Text: "–"})
		}
		t.Rows = append(t.Rows, row)
	}
	return report.Section{Title: "All tensors", Table: t}
}
