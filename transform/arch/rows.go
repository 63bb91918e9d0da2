package arch

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"github.com/loratool/loratool/formats"
)

// Most of what differs between the two sides of an architecture is the order of
// rows: heads interleaved for another rotary embedding, experts stacked, fused
// projections split. All of that is one thing, rows gathered from one or several
// tensors, and its inverse is another gathering.

// A run is a stretch of consecutive rows of a tensor.
type run struct {
	from   *formats.Tensor
	lo, hi int
}

// gathered are rows made of runs, one after the other. All tensors have the same
// number format and row length.
type gathered struct {
	runs     []run
	starts   []int // of each run in the result
	row      int64 // bytes of a row
	elements bool  // the runs are of a vector's elements, not of rows
}

// gather returns a tensor of the given name and shape that has the rows of runs.
func gather(name string, shape []int, runs []run) *formats.Tensor {
	return newGathered(name, shape, runs, &gathered{row: runs[0].from.RowBytes()})
}

// gatherUnits is gather for tensors whose rows are reordered: of vectors, the
// biases of such matrices, it reorders the elements.
func gatherUnits(name string, shape []int, runs []run) *formats.Tensor {
	if t := runs[0].from; len(t.Shape) == 1 {
		return newGathered(name, shape, runs, &gathered{row: int64(t.DType.BlockBytes()), elements: true})
	}
	return gather(name, shape, runs)
}

// newGathered fills in g. Runs of neighbouring rows are joined.
func newGathered(name string, shape []int, runs []run, g *gathered) *formats.Tensor {
	rows := 0
	for _, r := range runs {
		last := len(g.runs) - 1
		if last >= 0 && g.runs[last].from == r.from && g.runs[last].hi == r.lo {
			g.runs[last].hi = r.hi
		} else {
			g.runs, g.starts = append(g.runs, r), append(g.starts, rows)
		}
		rows += r.hi - r.lo
	}
	t := &formats.Tensor{Info: formats.Info{Name: name, DType: runs[0].from.DType, Shape: shape}, Rows: g}
	if len(g.runs) == 1 && g.runs[0].lo == 0 && int64(rows)*g.row == g.runs[0].from.NumBytes() {
		t.Rows = g.runs[0].from.Rows // the tensor as it is, copied without decoding
	}
	return t
}

// units returns how many pieces a reordering sees in a tensor: rows, or the
// elements of a vector.
func units(t *formats.Tensor) int {
	if len(t.Shape) == 1 {
		return t.Shape[0]
	}
	return t.NumRows()
}

// Scratch returns the memory for the whole vectors that elements are picked from,
// or for a stretch of rows, and what the sources take.
func (g *gathered) Scratch(n int) int64 {
	var most int64
	for _, r := range g.runs {
		s := int64(n)*g.row + r.from.Rows.Scratch(n)
		if g.elements {
			s = r.from.NumBytes() + r.from.Rows.Scratch(1)
		}
		most = max(most, s)
	}
	return most
}

// A piece is rows [lo, hi) of a tensor and where they go.
type piece struct {
	run
	to []byte
}

// ReadRows asks the sources for stretches as long as they go, in whatever order
// their rows are wanted: to compute rows one at a time is slow, and so is to read
// them.
func (g *gathered) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if g.elements {
		return g.readElements(ctx, dst)
	}
	pieces := g.pieces(dst, lo, hi)
	for len(pieces) > 0 {
		n := 1
		for n < len(pieces) && pieces[n].from == pieces[0].from && pieces[n].lo == pieces[n-1].hi {
			n++
		}
		if err := g.readStretch(ctx, pieces[:n]); err != nil {
			return err
		}
		pieces = pieces[n:]
	}
	return nil
}

// pieces returns what the rows [lo, hi) are made of, those of neighbouring runs
// that are of one tensor in the order in which they lie there.
func (g *gathered) pieces(dst []byte, lo, hi int) []piece {
	var pieces []piece
	first := sort.Search(len(g.runs), func(i int) bool { return g.starts[i] > lo }) - 1
	sorted := 0
	for i := first; i < len(g.runs) && g.starts[i] < hi; i++ {
		r, start := g.runs[i], g.starts[i]
		from, to := max(lo, start), min(hi, start+r.hi-r.lo)
		if n := len(pieces); n > 0 && pieces[n-1].from != r.from {
			sortByRow(pieces[sorted:])
			sorted = n
		}
		pieces = append(pieces, piece{run{r.from, r.lo + from - start, r.lo + to - start}, dst[int64(from-lo)*g.row : int64(to-lo)*g.row]})
	}
	sortByRow(pieces[sorted:])
	return pieces
}

func sortByRow(pieces []piece) {
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.lo, b.lo) })
}

// readStretch reads pieces of which each begins where the one before it ends.
func (g *gathered) readStretch(ctx context.Context, pieces []piece) error {
	first, last := &pieces[0], &pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return first.from.ReadRows(ctx, first.to, first.lo, first.hi)
	}
	stretch := formats.BorrowBytes((last.hi - first.lo) * int(g.row))
	defer formats.ReturnBytes(stretch)
	if err := first.from.ReadRows(ctx, stretch, first.lo, last.hi); err != nil {
		return err
	}
	from := stretch
	for i := range pieces {
		from = from[copy(pieces[i].to, from):]
	}
	return nil
}

// readElements fills dst with all elements: a vector is one row, however long.
func (g *gathered) readElements(ctx context.Context, dst []byte) error {
	var (
		whole   []byte
		current *formats.Tensor
	)
	defer func() { formats.ReturnBytes(whole) }()
	for i, r := range g.runs {
		if r.from != current {
			formats.ReturnBytes(whole)
			whole, current = formats.BorrowBytes(int(r.from.NumBytes())), r.from
			if err := r.from.ReadRows(ctx, whole, 0, 1); err != nil {
				return err
			}
		}
		copy(dst[int64(g.starts[i])*g.row:], whole[int64(r.lo)*g.row:int64(r.hi)*g.row])
	}
	return nil
}
