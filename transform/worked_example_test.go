package transform_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
)

// TestWorkedExample is the example that introduces low-rank factors: 100 numbers
// become 80, with the Frobenius error that numpy finds. See testdata/README.md.
func TestWorkedExample(t *testing.T) {
	const want = 4.7698685222
	dir := "../testdata/worked-example/"
	base, w := openModel(t, dir+"zero.safetensors"), openModel(t, dir+"w.safetensors")
	_, out, report := roundTrip(t, base, w, transform.ExtractOptions{Rank: 4, DType: formats.F32})
	l := report.Layers[0]
	if got := l.RelativeError * l.DeltaNorm; math.Abs(got-want) > 1e-6 {
		t.Errorf("reported error %.9f, want %.9f", got, want)
	}
	adapter := openModel(t, filepath.Join(out, "adapter_model.safetensors"))
	b, a := floats(t, adapter.Tensor("base_model.model.w.lora_B.weight")), floats(t, adapter.Tensor("base_model.model.w.lora_A.weight"))
	if len(a)+len(b) != 80 {
		t.Errorf("%d numbers, want 80", len(a)+len(b))
	}
	x := floats(t, w.Tensor("w.weight"))
	var error2 float64
	for i := range 10 {
		for j := range 10 {
			d := float64(x[i*10+j])
			for k := range 4 {
				d -= float64(b[i*4+k]) * float64(a[k*10+j])
			}
			error2 += d * d
		}
	}
	if got := math.Sqrt(error2); math.Abs(got-want) > 1e-6 {
		t.Errorf("‖W − BA‖ = %.9f, want %.9f", got, want)
	}
	// LeftShare 0 makes B = U and A = diag(S)·Vᵀ: the columns of B have length 1.
	for k := range 4 {
		var length2 float64
		for i := range 10 {
			length2 += float64(b[i*4+k]) * float64(b[i*4+k])
		}
		if math.Abs(length2-1) > 1e-6 {
			t.Errorf("column %d of B has length %g", k, math.Sqrt(length2))
		}
	}
}
