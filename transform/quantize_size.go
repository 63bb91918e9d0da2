package transform

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/kernels"
	"github.com/loratool/loratool/transform/recipe"
)

// A SizeTarget is what a quantized model may take: one of the two.
type SizeTarget struct {
	Bytes         int64   // of the GGUF file
	BitsPerWeight float64 // of all tensors' data
}

// A SizeFit is a choice of formats for a [SizeTarget].
type SizeFit struct {
	Options QuantizeOptions // for [Quantize]
	Error   float64         // what QuantizeReport.Error will be, by the samples
	Bound   float64         // what no choice can be better than, by the samples
}

// sizeFormats are the formats that FitSize chooses from. Those for models trained
// with few levels, and 4-bit floats, are no better than others of their size.
var sizeFormats = []formats.DType{
	formats.F16, formats.BF16, formats.Q8_0,
	formats.Q6_K, formats.Q5_K, formats.Q5_1, formats.Q5_0,
	formats.Q4_K, formats.Q4_1, formats.Q4_0, formats.IQ4_NL, formats.IQ4_XS,
	formats.Q3_K, formats.IQ3_S, formats.IQ3_XXS,
	formats.Q2_K, formats.IQ2_S, formats.IQ2_XS, formats.IQ2_XXS,
	formats.IQ1_M, formats.IQ1_S,
}

// FitSize chooses a number format for every tensor that a recipe may change and
// that the options fix nothing for, so that the model is no larger than the
// target, to the byte, and loses as little as possible.
//
// It quantizes a sample of each tensor to every format and measures
//
//	loss = Σw(x−y)² / Σwx²
//
// with the importance of the columns w, if there is any. The choice makes the mean
// of the losses over all elements small, under the exact number of bytes: by
// Lagrangian relaxation, then by filling what is left; it is never worse than a
// recipe that fits. It depends on nothing but the model and the options.
//
// It returns an error wrapping [formats.ErrMismatch] if no choice fits.
func FitSize(ctx context.Context, m *formats.Model, o QuantizeOptions, target SizeTarget, run Options) (*SizeFit, error) {
	// Any quantized type would do: without a mix it only says what may change.
	o.Recipe.FType, o.Recipe.Pure, o.Choices = recipe.Q4_0, true, nil
	p, err := planQuantize(m, &o)
	if err != nil {
		return nil, err
	}
	alignment, err := gguf.Alignment(m.Metadata)
	if err != nil {
		return nil, inFile(m.Path, err)
	}
	lists := make([]candidates, len(p.tensors))
	report := reporter(m.NumBytes(), run.Progress)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(run.workers())
	for i := range p.tensors {
		g.Go(func() error {
			var err error
			lists[i], err = p.measure(gctx, i, &o)
			report(p.tensors[i].NumBytes(), p.tensors[i].Name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, inFile(m.Path, err)
	}
	budget, err := p.budget(m, &o, lists, target, alignment)
	if err != nil {
		return nil, err
	}
	s := &sizeSearch{budget: budget}
	for _, l := range lists {
		s.options = append(s.options, l.options(target, alignment))
	}
	if least := s.least(); least > budget {
		return nil, &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrMismatch,
			"the tensors take %d bytes at least, and the target leaves %d for them", least, budget),
			Hint: "a larger target, or an importance matrix (--imatrix), without which the smallest formats can't be used"}
	}
	choice := s.search(p.recipes(m, &o, lists))
	fit := &SizeFit{Options: o}
	var parameters float64
	for i := range lists {
		fit.Options.Choices = append(fit.Options.Choices, lists[i].dtypes[choice[i]])
		parameters += float64(p.tensors[i].NumElements())
	}
	fit.Options.Recipe.FType = p.fileType(fit.Options.Choices)
	fit.Error = math.Sqrt(s.loss(choice) / max(1, parameters))
	fit.Bound = math.Sqrt(max(0, s.bound()) / max(1, parameters))
	return fit, nil
}

// candidates are the formats that a tensor can have.
type candidates struct {
	info   formats.Info
	dtypes []formats.DType
	losses []float64 // times the number of elements
}

// options returns what the candidates cost: as they lie in a file, with padding,
// if its size counts.
func (c *candidates) options(target SizeTarget, alignment int64) []sizeOption {
	out := make([]sizeOption, len(c.dtypes))
	for i, d := range c.dtypes {
		info := c.info
		info.DType = d
		out[i] = sizeOption{info.NumBytes(), c.losses[i]}
		if target.Bytes > 0 {
			out[i].bytes = padded(out[i].bytes, alignment)
		}
	}
	return out
}

func padded(n, alignment int64) int64 { return (n + alignment - 1) / alignment * alignment }

// measure returns the candidates of the i-th tensor, with what each loses.
func (p *quantizePlan) measure(ctx context.Context, i int, o *QuantizeOptions) (candidates, error) {
	t, choice := p.tensors[i], p.choices[i]
	c := candidates{info: t.Info}
	switch {
	case choice.Kept:
		c.dtypes = []formats.DType{t.DType}
	case choice.Fixed:
		c.dtypes = []formats.DType{choice.DType}
	default:
		for _, d := range append([]formats.DType{t.DType}, sizeFormats...) {
			if p.possible(i, d, o) && !slices.Contains(c.dtypes, d) {
				c.dtypes = append(c.dtypes, d)
			}
		}
	}
	c.losses = make([]float64, len(c.dtypes))
	if len(c.dtypes) == 1 {
		return c, nil // there is nothing to choose
	}
	sample, err := newSample(ctx, t, p.importance(i))
	if err != nil {
		return c, t.Error(err)
	}
	defer sample.release()
	for j, d := range c.dtypes {
		if d == t.DType {
			continue
		}
		// What Quantize will refuse, it refuses here, before anything is measured.
		line := &QuantizedTensor{Info: t.Info, From: t.DType, Source: t}
		line.DType = d
		if _, err := quantizedRows(line, p.importance(i), o); err != nil {
			return c, t.Error(err)
		}
		if err := ctx.Err(); err != nil {
			return c, err
		}
		c.losses[j] = sample.loss(d) * float64(t.NumElements())
	}
	return c, nil
}

// possible reports whether the i-th tensor can have format d.
func (p *quantizePlan) possible(i int, d formats.DType, o *QuantizeOptions) bool {
	t := p.tensors[i]
	return d == t.DType ||
		d.Bits() < t.DType.Bits() && t.NumCols()%d.BlockLen() == 0 &&
			(p.importance(i) != nil || !recipe.NeedsImatrix(t.Name, d, o.Recipe.FType))
}

// budget returns how many bytes the target leaves for the data of tensors.
func (p *quantizePlan) budget(m *formats.Model, o *QuantizeOptions, lists []candidates, target SizeTarget, alignment int64) (int64, error) {
	if target.Bytes == 0 {
		var parameters int64
		for _, t := range p.tensors {
			parameters += int64(t.NumElements())
		}
		return int64(target.BitsPerWeight * float64(parameters) / 8), nil
	}
	// The header is the same whatever is chosen.
	some := *o
	for _, l := range lists {
		some.Choices = append(some.Choices, l.dtypes[0])
	}
	out, _, err := Quantize(m, some)
	if err != nil {
		return 0, err
	}
	l, err := gguf.Layout(out, gguf.LayoutOptions{})
	if err != nil {
		return 0, err
	}
	header := l.Files[0].Size
	for _, t := range out.Tensors {
		header -= padded(t.NumBytes(), alignment)
	}
	return target.Bytes - header, nil
}

// recipes returns what the recipes choose, as indices of candidates, where all of
// what they choose is among them.
func (p *quantizePlan) recipes(m *formats.Model, o *QuantizeOptions, lists []candidates) [][]int {
	var out [][]int
next:
	for _, f := range recipe.FTypes() {
		o := *o
		o.Recipe.FType, o.Recipe.Pure = f, false
		r, err := planQuantize(m, &o)
		if err != nil {
			continue
		}
		choice := make([]int, len(lists))
		for i := range lists {
			if choice[i] = slices.Index(lists[i].dtypes, r.choices[i].DType); choice[i] < 0 {
				continue next
			}
		}
		out = append(out, choice)
	}
	return out
}

// fileType returns the file type that is named after the format that most
// elements have.
func (p *quantizePlan) fileType(choices []formats.DType) recipe.FType {
	elements := map[formats.DType]int{}
	most := choices[0]
	for i, d := range choices {
		elements[d] += p.tensors[i].NumElements()
		if elements[d] > elements[most] {
			most = d
		}
	}
	for _, f := range recipe.FTypes() {
		if f.DType() == most {
			return f
		}
	}
	return recipe.F32
}

// A sample is some rows of a tensor, evenly spread, with their importance.
type sample struct {
	cols    int
	x       []float32
	groups  []int       // where rows of one expert begin and the last ends
	weights [][]float32 // of each group; nil for none
}

// sampleElements is how many elements a sample has, more or less.
const sampleElements = 128 << 10

func newSample(ctx context.Context, t *formats.Tensor, importance *imatrix.Entry) (*sample, error) {
	s := &sample{cols: t.NumCols(), groups: []int{0}}
	if formats.Decoder(t.DType) == nil || t.NumElements() == 0 {
		return s, nil
	}
	rows := t.NumRows()
	n := min(rows, max(4, sampleElements/s.cols))
	perExpert := rows / numExperts(&t.Info)
	s.x = formats.BorrowFloats(n * s.cols)
	last := -1
	for i := range n {
		row := int(int64(i) * int64(rows) / int64(n))
		if err := t.ReadFloats(ctx, s.x[i*s.cols:(i+1)*s.cols], row, row+1); err != nil {
			return nil, err
		}
		if expert := row / perExpert; expert != last {
			var w []float32
			if importance != nil && importance.Fits(rows/perExpert, s.cols) == nil {
				w = make([]float32, s.cols)
				if err := importance.Read(ctx, w, expert); err != nil {
					return nil, err
				}
			}
			if last >= 0 {
				s.groups = append(s.groups, i)
			}
			s.weights, last = append(s.weights, w), expert
		}
	}
	s.groups = append(s.groups, n)
	if i := kernels.FirstNonFinite(s.x); i >= 0 {
		s.release()
		return nil, formats.Reasonf(formats.ErrFormat, "an element is %v", s.x[i])
	}
	return s, nil
}

func (s *sample) release() { formats.ReturnFloats(s.x) }

// loss returns what the sample loses in format d: Σw(x−y)²/Σwx².
func (s *sample) loss(d formats.DType) float64 {
	y := formats.BorrowFloats(len(s.x))
	defer formats.ReturnFloats(y)
	data := formats.BorrowBytes(len(s.x) / d.BlockLen() * d.BlockBytes())
	defer formats.ReturnBytes(data)
	var sums squares
	for g, w := range s.weights {
		lo, hi := s.groups[g]*s.cols, s.groups[g+1]*s.cols
		x, y, data := s.x[lo:hi], y[:hi-lo], data[:(hi-lo)/d.BlockLen()*d.BlockBytes()]
		encodeRows(d, data, x, s.cols, w)
		formats.Decoder(d)(y, data)
		for r := 0; r < len(x); r += s.cols {
			sums.compare(x[r:r+s.cols], y[r:r+s.cols], w)
		}
	}
	if loss := sums.loss(); loss < math.MaxFloat32 {
		return loss
	}
	return math.MaxFloat32 // beyond the range of the format
}
