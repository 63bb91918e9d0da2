package kernels

import (
	"math"
	"slices"
	"testing"
)

// TestVector compares the vector kernels with their definition written once more,
// for every length that has another mix of whole registers and rest, and every
// alignment.
func TestVector(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		r := newRand(2)
		for n := range 131 {
			for align := range 4 {
				x, y := make([]float32, n+align)[align:], make([]float32, n+align)[align:]
				fillRandom(r, x)
				fillRandom(r, y)
				a := x
				if n == 0 {
					a = []float32{2}
				}
				checkVector(t, x, y, a[r.IntN(len(a))])
			}
		}
	})
}

func checkVector(t *testing.T, x, y []float32, a float32) {
	t.Helper()
	n := len(x)
	added, scaled, diff := make([]float32, n), make([]float32, n), make([]float32, n)
	var max float32
	for i := range x {
		added[i] = oneNaN(y[i] + float32(a*x[i]))
		scaled[i] = oneNaN(y[i] * a)
		diff[i] = oneNaN(x[i] - y[i])
		if d := float32(math.Abs(float64(diff[i]))); d > max || d != d {
			max = d
		}
		if max != max {
			max = oneNaN(max)
		}
	}
	got := slices.Clone(y)
	AddScaled(got, a, x)
	if i := firstDifference(got, added); i >= 0 {
		t.Fatalf("AddScaled of %d: %v + %v*%v = %v (%#08x), want %v", n, y[i], a, x[i], got[i], math.Float32bits(got[i]), added[i])
	}
	got = slices.Clone(y)
	Scale(got, a)
	if i := firstDifference(got, scaled); i >= 0 {
		t.Fatalf("Scale of %d: %v * %v = %v, want %v", n, y[i], a, got[i], scaled[i])
	}
	got = make([]float32, n)
	Sub(got, x, y)
	if i := firstDifference(got, diff); i >= 0 {
		t.Fatalf("Sub of %d: %v - %v = %v, want %v", n, x[i], y[i], got[i], diff[i])
	}
	got = slices.Clone(x)
	Sub(got, got, y)
	if !equalBits(got, diff) {
		t.Fatalf("Sub of %d in place differs", n)
	}
	if got := MaxAbsDiff(x, y); math.Float32bits(got) != math.Float32bits(max) {
		t.Fatalf("MaxAbsDiff of %d = %v (%#08x), want %v", n, got, math.Float32bits(got), max)
	}
}

func oneNaN(v float32) float32 {
	if v != v {
		return math.Float32frombits(0x7fc00000)
	}
	return v
}

func TestDot(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		r := newRand(3)
		for n := range 200 {
			x, y := make([]float32, n+n%3)[n%3:], make([]float32, n+n%5)[n%5:]
			for _, fill := range []func([]float32){
				func(x []float32) { fillNormal(r, x) },
				func(x []float32) { // 60 binary orders of magnitude, so that every rounding shows
					for i := range x {
						x[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(60)))
					}
				},
				func(x []float32) { fillRandom(r, x) },
			} {
				fill(x)
				fill(y)
				checkDot(t, "Dot", Dot(x, y), x, y)
				checkDot(t, "SumSquares", SumSquares(x), x, x)
			}
		}
	})
}

func checkDot(t *testing.T, name string, got float64, x, y []float32) {
	t.Helper()
	lane := make([]float64, 16)
	for i := range x {
		lane[i%16] += float64(x[i]) * float64(y[i])
	}
	for ; len(lane) > 1; lane = lane[:len(lane)/2] {
		for j := range len(lane) / 2 {
			lane[j] += lane[j+len(lane)/2]
		}
	}
	want := lane[0]
	if want != want {
		want = math.NaN()
	}
	if math.Float64bits(got) != math.Float64bits(want) {
		t.Fatalf("%s of %d numbers = %x, want %x", name, len(x), got, want)
	}
}
