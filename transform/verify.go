package transform

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/kernels"
)

// A Problem is something wrong with a model.
type Problem struct {
	Path   string `json:"path"`
	Tensor string `json:"tensor,omitempty"`
	Text   string `json:"problem"`
}

// String returns the problem as one line: "path: tensor "name": text".
func (p *Problem) String() string {
	e := formats.Error{Path: p.Path, Tensor: p.Tensor, Err: errors.New(p.Text)}
	return e.Error()
}

// A Verification is what [Verify] looked at and what it found.
type Verification struct {
	Path     string    `json:"path"`
	Format   string    `json:"format"`
	Tensors  int       `json:"tensors"`
	Bytes    int64     `json:"bytes"` // of tensor data
	Digests  []Digest  `json:"digests,omitempty"`
	Problems []Problem `json:"problems"`
}

// Verify checks what a reference means, as [hf.Open] understands it:
//
//   - the structure of every file: headers, sizes, offsets; nothing missing,
//     nothing left over, nothing overlapping;
//   - an index against the shards it speaks of;
//   - the checksums that a format has, as PyTorch's archives do;
//   - the numbers: NaN and infinities, with the first one's place;
//   - the files that a SHA256SUMS beside them lists, against their digests.
//
// Problems are part of the result. The error is about what could not be looked
// at: a path that does not exist, a format that is not known.
func Verify(ctx context.Context, ref string, o Options) (*Verification, error) {
	v := &Verification{Path: ref, Problems: []Problem{}}
	path, err := hf.Resolve(ref)
	if err != nil {
		return nil, err
	}
	m, err := hf.Open(path)
	if e, ok := errors.AsType[*formats.Error](err); ok && isDefect(err) {
		v.Problems = append(v.Problems, problemOf(e))
		return v, v.verifySums(ctx, path, &o)
	}
	if err != nil {
		return nil, err
	}
	defer m.Close()
	v.Format, v.Tensors, v.Bytes = m.Format, len(m.Tensors), m.NumBytes()
	if err := formats.Verify(ctx, m); err != nil {
		e, ok := errors.AsType[*formats.Error](err)
		if !ok || !isDefect(err) {
			return nil, err
		}
		v.Problems = append(v.Problems, problemOf(e))
	}
	if err := v.verifyNumbers(ctx, m, &o); err != nil {
		return nil, err
	}
	if err := unchanged(m.Inputs); err != nil {
		return nil, err
	}
	return v, v.verifySums(ctx, path, &o)
}

// isDefect reports whether err is about a file that is there and is broken.
func isDefect(err error) bool {
	return errors.Is(err, formats.ErrFormat) || errors.Is(err, formats.ErrTruncated) || errors.Is(err, formats.ErrMismatch)
}

func problemOf(e *formats.Error) Problem {
	p := Problem{Path: e.Path, Tensor: e.Tensor, Text: e.Err.Error()}
	if e.Offset > 0 {
		p.Text = fmt.Sprintf("at byte %d: %s", e.Offset-1, p.Text)
	}
	return p
}

// A nonFinite counts the NaNs and infinities of a block or a tensor.
type nonFinite struct {
	first    int // element of the tensor
	what     string
	nan, inf int
}

// verifyNumbers looks for numbers that are none. Formats without such are passed
// over.
func (v *Verification) verifyNumbers(ctx context.Context, m *formats.Model, o *Options) error {
	var tensors []*formats.Tensor
	var items []scanItem
	var found [][]nonFinite
	for _, t := range m.Tensors {
		if !t.DType.IsFloat() && !t.DType.IsQuantized() || formats.Decoder(t.DType) == nil {
			continue
		}
		it := scanItem{name: t.Name, rows: t.NumRows(), rowBytes: t.RowBytes(), cost: func(n int) int64 {
			return 4*int64(n)*int64(t.NumCols()) + t.FloatScratch(n)
		}}
		tensors, items, found = append(tensors, t), append(items, it), append(found, make([]nonFinite, it.numBlocks()))
	}
	err := scan(ctx, items, o, func(ctx context.Context, i, block, lo, hi int) error {
		n, err := countNonFinite(ctx, tensors[i], lo, hi)
		found[i][block] = n
		return err
	})
	for i, t := range tensors {
		var sum nonFinite
		for _, n := range found[i] {
			if sum.what == "" {
				sum.first, sum.what = n.first, n.what
			}
			sum.nan += n.nan
			sum.inf += n.inf
		}
		if sum.what != "" {
			v.Problems = append(v.Problems, Problem{Path: tensorPath(m, t), Tensor: t.Name, Text: fmt.Sprintf(
				"%s at %v; in all %d NaN and %d infinite of %d numbers", sum.what, index(t, sum.first), sum.nan, sum.inf, t.NumElements())})
		}
	}
	return err
}

// tensorPath returns the file that a tensor lies in.
func tensorPath(m *formats.Model, t *formats.Tensor) string {
	if x := t.Extent(); x != nil {
		return x.File.Path
	}
	return m.Path
}

// countNonFinite looks at the rows [lo, hi). It takes F64 as it is: a large
// number is no infinity, though as float32 it would be one.
func countNonFinite(ctx context.Context, t *formats.Tensor, lo, hi int) (n nonFinite, err error) {
	count := (hi - lo) * t.NumCols()
	x := formats.BorrowFloats(count)
	defer formats.ReturnFloats(x)
	if t.DType == formats.F64 {
		raw := formats.BorrowBytes(8 * count)
		defer formats.ReturnBytes(raw)
		if err := t.ReadRows(ctx, raw, lo, hi); err != nil {
			return n, t.Error(err)
		}
		for i := range x { // the upper half has sign, exponent, and enough to tell NaN from infinity
			x[i] = topHalf(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	} else if err := t.ReadFloats(ctx, x, lo, hi); err != nil {
		return n, t.Error(err)
	}
	for at := 0; ; at++ {
		i := kernels.FirstNonFinite(x[at:])
		if i < 0 {
			return n, nil
		}
		at += i
		what := "infinity"
		if x[at] != x[at] {
			what = "NaN"
			n.nan++
		} else {
			n.inf++
		}
		if n.what == "" {
			n.first, n.what = lo*t.NumCols()+at, what
		}
	}
}

// topHalf returns a float32 that is NaN, infinite or finite as the float64 with
// the given bits is.
func topHalf(bits uint64) float32 {
	const exponent, fraction = 0x7ff << 52, 1<<52 - 1
	switch {
	case bits&exponent != exponent:
		return 0
	case bits&fraction != 0:
		return float32(math.NaN())
	}
	return float32(math.Inf(1))
}

// index returns the place of the i-th element in the tensor's shape.
func index(t *formats.Tensor, i int) []int {
	at := make([]int, len(t.Shape))
	for d := len(t.Shape) - 1; d >= 0; d-- {
		at[d] = i % t.Shape[d]
		i /= t.Shape[d]
	}
	return at
}

// folderOf returns the folder whose SHA256SUMS is about path.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
