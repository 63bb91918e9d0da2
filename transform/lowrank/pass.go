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
const panelFloats = 1 << 20

// panelRows returns how many rows of the given length make a panel.
func panelRows(cols int) int {
	return min(max(panelFloats/cols&^15, 32), 512)
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

// run reads the matrix from top to bottom. For every panel it calls rowwise with
// parts of it, several at the same time, and then, if it is not nil, whole with
// all of the panel.
func (p *pass) run(ctx context.Context, rowwise func(lo, hi int, rows []float32) error, whole func(lo, hi int, panel []float32) error) error {
	height := min(panelRows(p.cols), p.rows)
	panel := formats.BorrowFloats(height * p.cols)
	defer formats.ReturnFloats(panel)
	for top := 0; top < p.rows; top += height {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(height, p.rows-top)
		var failed atomic.Pointer[error]
		p.team.Ranges(n, 8, func(lo, hi int) {
			rows := panel[lo*p.cols : hi*p.cols]
			err := p.d.ReadFloats(ctx, rows, top+lo, top+hi)
			if err == nil {
				err = rowwise(top+lo, top+hi, rows)
			}
			if err != nil {
				failed.Store(&err)
			}
		})
		if err := failed.Load(); err != nil {
			return *err
		}
		if whole != nil {
			if err := whole(top, top+n, panel[:n*p.cols]); err != nil {
				return err
			}
		}
	}
	return nil
}

// norm2 returns ‖D‖², summed in float64 by rows and then over the rows, or a
// [*NotFiniteError].
func (p *pass) norm2(ctx context.Context) (float64, error) {
	squares := make([]float64, p.rows)
	err := p.run(ctx, func(lo, hi int, rows []float32) error {
		for i := lo; i < hi; i++ {
			row := rows[(i-lo)*p.cols:][:p.cols]
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

// gram returns M·X for the b rows of x, row-major with b rows: with M = DᵀD of
// order cols, or with M = DDᵀ of order rows if left is true.
func (p *pass) gram(ctx context.Context, x []float32, b int, left bool) ([]float32, error) {
	if left {
		return p.gramLeft(ctx, x, b)
	}
	z := newTotal(p.team, b*p.cols)
	height := panelRows(p.cols)
	y := make([]float32, b*height) // X·Dᵀ of the panel
	err := p.run(ctx, func(lo, hi int, rows []float32) error {
		at := lo % height
		for i := range b {
			clear(y[i*height+at:][:hi-lo])
		}
		kernels.GemmNT(y[at:], height, x, p.cols, rows, p.cols, b, hi-lo, p.cols)
		return nil
	}, func(lo, hi int, panel []float32) error {
		p.team.Ranges(p.cols, 64, func(from, to int) {
			kernels.Gemm(z.chain[from:], p.cols, y, height, panel[from:], p.cols, b, to-from, hi-lo)
		})
		z.added(hi - lo)
		return nil
	})
	return z.floats(), err
}

func (p *pass) gramLeft(ctx context.Context, x []float32, b int) ([]float32, error) {
	y, err := p.times(ctx, x, b)
	if err != nil {
		return nil, err
	}
	z := make([]float32, b*p.rows)
	err = p.run(ctx, func(lo, hi int, rows []float32) error {
		kernels.GemmNT(z[lo:], p.rows, y, p.cols, rows, p.cols, b, hi-lo, p.cols)
		return nil
	}, nil)
	return z, err
}

// times returns X·D for X of shape [b, rows].
func (p *pass) times(ctx context.Context, x []float32, b int) ([]float32, error) {
	y := newTotal(p.team, b*p.cols)
	err := p.run(ctx, func(int, int, []float32) error { return nil },
		func(lo, hi int, panel []float32) error {
			p.team.Ranges(p.cols, 64, func(from, to int) {
				kernels.Gemm(y.chain[from:], p.cols, x[lo:], p.rows, panel[from:], p.cols, b, to-from, hi-lo)
			})
			y.added(hi - lo)
			return nil
		})
	return y.floats(), err
}
