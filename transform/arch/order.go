package arch

import (
	"cmp"
	"slices"

	"github.com/loratool/loratool/formats"
)

// A span is a stretch of rows, [lo, hi).
type span struct{ lo, hi int }

// A rowOrder is the op of tensors that have the same rows in another order, or
// some of the other tensor's rows.
type rowOrder struct {
	// spans lists the rows of the GGUF tensor as rows of the Hugging Face tensor,
	// of which shape is the shape. A vector's rows are its elements.
	spans func(c *Config, shape []int) ([]span, error)

	// parts is how many GGUF tensors, equal in size, share the rows; 0 means one.
	parts int
}

// rowDimension returns which dimension of a shape counts the rows of a matrix.
func rowDimension(shape []int) int { return max(0, len(shape)-2) }

func (o *rowOrder) toGGUF(c *Config, t *formats.Tensor, name string) (*formats.Tensor, error) {
	spans, err := o.spans(c, t.Shape)
	if err != nil {
		return nil, t.Error(err)
	}
	shape := slices.Clone(t.Shape)
	shape[rowDimension(shape)] /= max(1, o.parts)
	runs := make([]run, len(spans))
	for i, s := range spans {
		runs[i] = run{t, s.lo, s.hi}
	}
	return gatherUnits(name, shape, runs), nil
}

// toHF inverts the order: it puts each stretch of the parts' rows where the spans
// took it from.
func (o *rowOrder) toHF(c *Config, parts []part, name string) (*formats.Tensor, error) {
	shape := slices.Clone(parts[0].tensor.Shape)
	shape[rowDimension(shape)] *= max(1, o.parts)
	type placed struct {
		run
		at int
	}
	var all []placed
	for _, p := range parts {
		order, ok := p.op.(*rowOrder)
		if !ok || p.tensor.DType != parts[0].tensor.DType {
			return nil, p.tensor.Error(formats.Reasonf(formats.ErrUnsupported, "it can't be put together with %q", parts[0].tensor.Name))
		}
		spans, err := order.spans(c, shape)
		if err != nil {
			return nil, p.tensor.Error(err)
		}
		row := 0
		for _, s := range spans {
			all = append(all, placed{run{p.tensor, row, row + s.hi - s.lo}, s.lo})
			row += s.hi - s.lo
		}
		if row != units(p.tensor) {
			return nil, p.tensor.Error(formats.Reasonf(formats.ErrMismatch, "it has %d rows where %d were expected", units(p.tensor), row))
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	runs := make([]run, len(all))
	next := 0
	for i, p := range all {
		if p.at != next {
			return nil, parts[0].tensor.Error(formats.Reasonf(formats.ErrMismatch, "row %d of %q is missing", next, name))
		}
		runs[i] = p.run
		next += p.hi - p.lo
	}
	return gatherUnits(name, shape, runs), nil
}

// matrices returns how many matrices a shape has and how many rows each.
func matrices(shape []int) (count, rows int) {
	d := rowDimension(shape)
	count = 1
	for _, n := range shape[:d] {
		count *= n
	}
	return count, shape[d]
}

// rotaryHalves returns the order of query and key rows that interleaves the two
// halves of each head: Hugging Face's rotary embedding turns element i together
// with element i + d/2, llama.cpp's with its neighbour. heads says how many heads
// the tensor has.
//
//	row 2j+p of a head in GGUF = row p·d/2+j of it in Hugging Face
func rotaryHalves(heads func(c *Config) (int, error)) op {
	return &rowOrder{spans: func(c *Config, shape []int) ([]span, error) {
		n, err := heads(c)
		if err != nil {
			return nil, err
		}
		rows := shape[rowDimension(shape)]
		if n <= 0 || rows%(2*n) != 0 {
			return nil, formats.Reasonf(formats.ErrMismatch, "%d rows do not divide into %d heads of an even size", rows, n)
		}
		half := rows / n / 2
		spans := make([]span, 0, rows)
		for h := range n {
			for j := range half {
				for p := range 2 {
					at := h*2*half + p*half + j
					spans = append(spans, span{at, at + 1})
				}
			}
		}
		return spans, nil
	}}
}

// slice returns the i-th of n equal stretches of rows of each matrix: a fused
// projection's part.
func slice(i, n int) op {
	return &rowOrder{parts: n, spans: func(_ *Config, shape []int) ([]span, error) {
		count, rows := matrices(shape)
		if rows%n != 0 {
			return nil, formats.Reasonf(formats.ErrMismatch, "%d rows do not divide into %d parts", rows, n)
		}
		var spans []span
		for m := range count {
			lo := m*rows + i*rows/n
			spans = append(spans, span{lo, lo + rows/n})
		}
		return spans, nil
	}}
}

// every returns the rows i, i+n, i+2n, … of each matrix: an interleaved fused
// projection's part.
func every(i, n int) op {
	return &rowOrder{parts: n, spans: func(_ *Config, shape []int) ([]span, error) {
		count, rows := matrices(shape)
		if rows%n != 0 {
			return nil, formats.Reasonf(formats.ErrMismatch, "%d rows do not divide into %d parts", rows, n)
		}
		var spans []span
		for m := range count {
			for r := i; r < rows; r += n {
				spans = append(spans, span{m*rows + r, m*rows + r + 1})
			}
		}
		return spans, nil
	}}
}
