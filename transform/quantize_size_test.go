package transform

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform/recipe"
)

// The search is compared with all choices: it is feasible, never below the bound,
// and seldom far from the best.
func TestSizeSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	exact := 0
	const cases = 300
	for range cases {
		s := &sizeSearch{}
		for range 1 + r.IntN(5) {
			var options []sizeOption
			for range 1 + r.IntN(5) {
				options = append(options, sizeOption{int64(1 + r.IntN(30)), r.Float64()})
			}
			s.options = append(s.options, options)
		}
		s.budget = s.least() + int64(r.IntN(40))
		best := math.Inf(1)
		eachChoice(s.options, func(choice []int) {
			if s.bytes(choice) <= s.budget {
				best = min(best, s.loss(choice))
			}
		})
		got := s.search(nil)
		if s.bytes(got) > s.budget {
			t.Fatalf("%v takes %d bytes of %d", got, s.bytes(got), s.budget)
		}
		if bound := s.bound(); bound > best+1e-12 {
			t.Fatalf("the bound %v is above the best %v", bound, best)
		}
		if s.loss(got) < best-1e-12 {
			t.Fatal("better than the best")
		}
		if s.loss(got) <= best+1e-12 {
			exact++
		}
	}
	if exact < cases*9/10 {
		t.Errorf("the best choice was found in %d of %d cases", exact, cases)
	}
}

// eachChoice calls f with every choice of one option a list.
func eachChoice(options [][]sizeOption, f func([]int)) {
	choice := make([]int, len(options))
	for {
		f(choice)
		i := 0
		for ; i < len(choice); i++ {
			if choice[i]++; choice[i] < len(options[i]) {
				break
			}
			choice[i] = 0
		}
		if i == len(choice) {
			return
		}
	}
}

// A given choice that fits is never made worse.
func TestSizeSearchKeepsWhatIsBetter(t *testing.T) {
	// The hull steps by 10 bytes; the budget allows the option beside the hull.
	s := &sizeSearch{options: [][]sizeOption{{{1, 10}, {11, 0}}, {{1, 10}, {11, 0.1}, {6, 6}}}, budget: 12}
	if got := s.search([][]int{{0, 1}}); s.loss(got) > 10 {
		t.Errorf("%v loses %v", got, s.loss(got))
	}
}

// quantizeAndMeasure writes a model and returns its size and error.
func quantizeAndMeasure(t *testing.T, m *formats.Model, o QuantizeOptions) (int64, *QuantizeReport) {
	t.Helper()
	o.Measure = true
	q, report, err := Quantize(m, o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := gguf.Layout(q, gguf.LayoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	build(t, &l.Files[0])
	return l.NumBytes(), report
}

// At the size of every recipe there is a choice that loses no more than it, and
// FitSize finds one, with and without an importance matrix.
func TestFitSizeBeatsRecipes(t *testing.T) {
	m, err := formats.Open(quantizeGoldens + "tied-f16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	matrix, err := imatrix.Open(quantizeGoldens + "imatrix-tied-f16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer matrix.Close()
	for _, x := range []*imatrix.Matrix{nil, matrix} {
		for _, name := range []string{"Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "IQ4_XS", "Q3_K_M", "IQ3_S", "Q2_K"} {
			if testing.Short() && (x != nil || name != "Q4_K_M") {
				continue
			}
			f, _ := recipe.ParseFType(name)
			o := QuantizeOptions{Imatrix: x, Recipe: recipe.Options{FType: f}}
			size, fixed := quantizeAndMeasure(t, m, o)
			fit, err := FitSize(context.Background(), m, QuantizeOptions{Imatrix: x}, SizeTarget{Bytes: size}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, chosen := quantizeAndMeasure(t, m, fit.Options)
			if got > size {
				t.Errorf("%s: %d bytes, %d are allowed", name, got, size)
			}
			if chosen.Error() > fixed.Error() {
				t.Errorf("%s: the error is %v, the recipe's is %v", name, chosen.Error(), fixed.Error())
			}
			// These tensors are small, so that samples are all of them.
			if math.Abs(chosen.Error()-fit.Error) > 1e-9 || fit.Bound > fit.Error+1e-12 {
				t.Errorf("%s: the error is %v, %v was predicted, the bound is %v", name, chosen.Error(), fit.Error, fit.Bound)
			}
		}
	}
}

func TestFitSizeByBits(t *testing.T) {
	m, err := formats.Open(quantizeGoldens + "moe8-bf16.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var first []formats.DType
	for _, workers := range []int{1, 5} {
		override, err := recipe.ParseOverride("attn_k=q8_0")
		if err != nil {
			t.Fatal(err)
		}
		o := QuantizeOptions{Recipe: recipe.Options{Overrides: []recipe.Override{override}, OutputType: formats.Q5_0}}
		fit, err := FitSize(context.Background(), m, o, SizeTarget{BitsPerWeight: 5}, Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		_, report, err := Quantize(m, fit.Options)
		if err != nil {
			t.Fatal(err)
		}
		if bits := report.BitsPerWeight(); bits > 5 || bits < 4.9 {
			t.Errorf("%v bits per weight", bits)
		}
		for _, line := range report.Tensors {
			if line.Name == "output.weight" && line.DType != formats.Q5_0 || line.Name == "blk.3.attn_k.weight" && line.DType != formats.Q8_0 {
				t.Errorf("%s becomes %v", line.Name, line.DType)
			}
		}
		if first == nil {
			first = fit.Options.Choices
		}
		if !slices.Equal(first, fit.Options.Choices) {
			t.Error("the choice depends on the number of workers")
		}
	}
	_, err = FitSize(context.Background(), m, QuantizeOptions{}, SizeTarget{Bytes: 1000}, Options{})
	if !errors.Is(err, formats.ErrMismatch) {
		t.Errorf("a target of 1000 bytes: %v", err)
	}
}
