package adapter

import (
	"context"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// lowRank adds a product of two factors to each of some ranges of rows:
//
//	W'[i,j] = W[i,j] + s · Σ_k left[i,k] · right[j,k]
//
// with the sum over k accumulated by fused multiply-adds in float32 in the order
// of k, times s as one rounding. For a linear layer left is B and right is A; for
// layers that are stored transposed (GPT-2's Conv1D, embeddings, some fused
// experts) it is the other way round; for a convolution A and B are flattened:
// W'.flatten(1) = W.flatten(1) + s · B.flatten(1)·A.flatten(1).
type lowRank struct {
	products []product // by rows, without overlap; rows in none of them stay
	cols     int
	scale    float32 // s, with the strength
	info     OpInfo
}

// A product is the low-rank change of the rows [lo, hi).
type product struct {
	lo, hi      int
	left, right factor // left counts from lo
	diag        *values
}

func (l *lowRank) Describe() OpInfo { return l.info }

func (l *lowRank) Delta(ctx context.Context, t *Tile, d []float32) error {
	if err := l.multiply(ctx, t.Lo, t.Hi, d); err != nil {
		return err
	}
	kernels.Scale(d, l.scale)
	return nil
}

// multiply fills d with the products' rows [lo, hi), not scaled.
func (l *lowRank) multiply(ctx context.Context, lo, hi int, d []float32) error {
	clear(d)
	first, _ := slices.BinarySearchFunc(l.products, lo, func(p product, lo int) int {
		if p.hi <= lo {
			return -1
		}
		return 1
	})
	for i := first; i < len(l.products) && l.products[i].lo < hi; i++ {
		p := &l.products[i]
		from, to := max(lo, p.lo), min(hi, p.hi)
		if err := p.multiply(ctx, from-p.lo, to-p.lo, l.cols, d[(from-lo)*l.cols:(to-lo)*l.cols]); err != nil {
			return err
		}
	}
	return nil
}

// multiply adds the rows [lo, hi) of the product to d, of shape [hi−lo, cols].
func (p *product) multiply(ctx context.Context, lo, hi, cols int, d []float32) error {
	m, r := hi-lo, p.left.rank
	left := formats.BorrowFloats(m * r)
	defer formats.ReturnFloats(left)
	if err := p.left.load(ctx, left, lo, hi); err != nil {
		return err
	}
	right := formats.BorrowFloats(cols * r)
	defer formats.ReturnFloats(right)
	if err := p.right.load(ctx, right, 0, cols); err != nil {
		return err
	}
	if p.diag != nil {
		if err := p.scaleLeft(ctx, left, m); err != nil {
			return err
		}
	}
	switch leftByRank, rightByRank := p.left.byRank(), p.right.byRank(); {
	case !leftByRank && rightByRank:
		kernels.Gemm(d, cols, left, r, right, cols, m, cols, r)
	case leftByRank && rightByRank:
		kernels.GemmTN(d, cols, left, m, right, cols, m, cols, r)
	case !leftByRank:
		kernels.GemmNT(d, cols, left, r, right, r, m, cols, r)
	default:
		turned := formats.BorrowFloats(cols * r)
		defer formats.ReturnFloats(turned)
		for j := range cols {
			for k := range r {
				turned[k*cols+j] = right[j*r+k]
			}
		}
		kernels.GemmTN(d, cols, left, m, turned, cols, m, cols, r)
	}
	return nil
}

// scaleLeft multiplies the columns of left, of shape [m, r] or, by rank, [r, m],
// by the diagonal that KaSA and others have between their factors.
func (p *product) scaleLeft(ctx context.Context, left []float32, m int) error {
	r := p.left.rank
	diag := formats.BorrowFloats(r)
	defer formats.ReturnFloats(diag)
	if err := p.diag.read(ctx, diag, 0); err != nil {
		return err
	}
	if p.left.byRank() {
		for k, s := range diag {
			kernels.Scale(left[k*m:(k+1)*m], s)
		}
		return nil
	}
	for i := range m {
		for k, s := range diag {
			left[i*r+k] *= s
		}
	}
	return nil
}

func (l *lowRank) Scratch(n int) int64 {
	var most int64
	for i := range l.products {
		p := &l.products[i]
		m := min(n, p.hi-p.lo)
		rank := int64(p.left.rank)
		load := max(p.left.loadScratch(m), p.right.loadScratch(l.cols))
		most = max(most, 4*rank*(int64(m)+2*int64(l.cols)+1)+load)
		if i == 0 && len(l.products) > 1 && p.left.rank == l.products[len(l.products)-1].left.rank {
			break // experts are all alike
		}
	}
	return most
}
