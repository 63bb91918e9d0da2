package lowrank

import (
	"context"
	"errors"
	"math"
	"sync/atomic"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// panelFloats is about how many numbers a panel of rows holds: few enough to
// stay in a cache between its two uses.
const panelFloats = 1 << 18

// panelRows returns how many rows of the given length make a panel: a multiple
// of what the matrix product takes at a time.
func panelRows(cols int) int {
	const tile = 24
	return min(max(panelFloats/cols/tile, 1), 20) * tile
}

// settleRows is how many rows a chain of float32 sums runs over before it is
// added to its float64 total.
const settleRows = 2048

// A pass is one reading of all rows of a matrix, panel by panel.
type pass struct {
	team       *Team
	d          Matrix
	rows, cols int
}

func newPass(d Matrix, team *Team) pass {
	rows, cols := d.Dims()
	return pass{team, d, rows, cols}
}

// A panel is some rows of a matrix, ld numbers apart.
type panel struct {
	lo, hi int
	x      []float32
	ld     int
}

// part returns the rows [lo, hi) of the matrix, which are among the panel's.
func (p panel) part(lo, hi int) panel { return panel{lo, hi, p.x[(lo-p.lo)*p.ld:], p.ld} }

// run reads the matrix from top to bottom. For every panel it calls rowwise with
// parts of it, several at the same time, and then, if it is not nil, whole with
// all of the panel. Neither may change the numbers.
func (p *pass) run(ctx context.Context, rowwise func(panel) error, whole func(panel) error) error {
	height := min(panelRows(p.cols), p.rows)
	held, isHeld := p.d.(holder)
	var buffer []float32
	if !isHeld {
		buffer = formats.BorrowFloats(height * p.cols)
		defer formats.ReturnFloats(buffer)
	}
	for top := 0; top < p.rows; top += height {
		if err := ctx.Err(); err != nil {
			return err
		}
		all := panel{top, min(top+height, p.rows), buffer, p.cols}
		if isHeld {
			all.x, all.ld = held.hold(top)
		}
		var failed atomic.Pointer[error]
		p.team.Ranges(all.hi-top, 12, func(lo, hi int) {
			part := all.part(top+lo, top+hi)
			var err error
			if !isHeld {
				err = p.d.ReadFloats(ctx, part.x[:(hi-lo)*p.cols], part.lo, part.hi)
			}
			if err == nil {
				err = rowwise(part)
			}
			if err != nil {
				failed.Store(&err)
			}
		})
		if err := failed.Load(); err != nil {
			return *err
		}
		if whole != nil {
			if err := whole(all); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowwiseNothing is for passes that need panels only.
func rowwiseNothing(panel) error { return nil }

// norm2 returns ‖D‖², summed in float64 by rows and then over the rows, or a
// [*NotFiniteError].
func (p *pass) norm2(ctx context.Context) (float64, error) {
	squares := make([]float64, p.rows)
	err := p.run(ctx, func(rows panel) error {
		for i := rows.lo; i < rows.hi; i++ {
			row := rows.x[(i-rows.lo)*rows.ld:][:p.cols]
			squares[i] = kernels.SumSquares(row)
			if math.IsNaN(squares[i]) || math.IsInf(squares[i], 0) {
				return notFinite(i, row)
			}
		}
		return nil
	}, nil)
	var sum float64
	for _, s := range squares {
		sum += s
	}
	return sum, err
}

func notFinite(row int, x []float32) error {
	for j, v := range x {
		if v-v != 0 {
			return &NotFiniteError{row, j, v}
		}
	}
	return errors.New("lowrank: a sum of squares of finite numbers overflows")
}

// total adds up products in float32 for a while and then in float64: the chain
// of sums over many thousand rows would lose digits otherwise.
type total struct {
	team  *Team
	sum   []float64
	chain []float32
	since int // rows in chain
}

func newTotal(team *Team, n int) *total {
	return &total{team: team, sum: make([]float64, n), chain: make([]float32, n)}
}

// added says that the chain has taken in so many rows more.
func (t *total) added(rows int) {
	if t.since += rows; t.since >= settleRows {
		t.settle()
	}
}

func (t *total) settle() {
	t.since = 0
	t.team.Ranges(len(t.sum), 1024, func(lo, hi int) {
		chain := t.chain[lo:hi]
		for i, v := range chain {
			t.sum[lo+i] += float64(v)
		}
		clear(chain)
	})
}

// floats returns the totals, rounded. t is used up.
func (t *total) floats() []float32 {
	t.settle()
	for i, v := range t.sum {
		t.chain[i] = float32(v)
	}
	return t.chain
}

// gram returns M·X for x of shape [n, b], row-major: with M = DᵀD and n columns
// of D, or with M = DDᵀ and n rows if left is true. If images is not nil, it is
// D·X afterwards, of shape [rows, b]; this is for the first case only.
func (p *pass) gram(ctx context.Context, x []float32, b int, left bool, images []float32) ([]float32, error) {
	if left {
		return p.gramLeft(ctx, x, b)
	}
	z := newTotal(p.team, p.cols*b)
	keep := p.rows // so many rows of D·X
	if images == nil {
		keep = panelRows(p.cols)
		images = make([]float32, keep*b)
	}
	err := p.run(ctx, func(rows panel) error {
		y := images[rows.lo%keep*b:][:(rows.hi-rows.lo)*b]
		clear(y)
		kernels.Gemm(y, b, rows.x, rows.ld, x, b, rows.hi-rows.lo, b, p.cols)
		return nil
	}, func(all panel) error {
		y := images[all.lo%keep*b:]
		p.team.Ranges(p.cols, 48, func(from, to int) {
			kernels.GemmTN(z.chain[from*b:], b, all.x[from:], all.ld, y, b, to-from, b, all.hi-all.lo)
		})
		z.added(all.hi - all.lo)
		return nil
	})
	return z.floats(), err
}

func (p *pass) gramLeft(ctx context.Context, x []float32, b int) ([]float32, error) {
	y, err := p.transposeTimes(ctx, x, b)
	if err != nil {
		return nil, err
	}
	z := make([]float32, p.rows*b)
	err = p.run(ctx, func(rows panel) error {
		kernels.Gemm(z[rows.lo*b:], b, rows.x, rows.ld, y, b, rows.hi-rows.lo, b, p.cols)
		return nil
	}, nil)
	return z, err
}

// transposeTimes returns Dᵀ·X, of shape [cols, b], for X of shape [rows, b].
func (p *pass) transposeTimes(ctx context.Context, x []float32, b int) ([]float32, error) {
	y := newTotal(p.team, p.cols*b)
	err := p.run(ctx, rowwiseNothing, func(all panel) error {
		p.team.Ranges(p.cols, 48, func(from, to int) {
			kernels.GemmTN(y.chain[from*b:], b, all.x[from:], all.ld, x[all.lo*b:], b, to-from, b, all.hi-all.lo)
		})
		y.added(all.hi - all.lo)
		return nil
	})
	return y.floats(), err
}
