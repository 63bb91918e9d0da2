package lowrank

import "math"

// A Goal says how many singular values are wanted: Rank of them, or if Rank is 0
// what the other fields ask for.
type Goal struct {
	Rank   int
	Energy float64 // the fewest that keep this share of ‖D‖², if not 0
	Floor  float64 // those above this, if Energy is 0
	Max    int     // never more than so many; 0 for no limit
}

// limit returns the greatest rank that can come out for a matrix of which the
// shorter side is n.
func (g Goal) limit(n int) int {
	if g.Rank > 0 {
		return min(g.Rank, n)
	}
	if g.Max > 0 {
		return min(g.Max, n)
	}
	return n
}

// rank returns the rank for estimates of the squared singular values, in
// descending order, of which there are n in all; settled is false if more of
// them may change it.
func (g Goal) rank(squares []float64, norm2 float64, n int) (r int, settled bool) {
	limit := g.limit(n)
	switch {
	case g.Rank > 0:
		r = limit
	case g.Energy > 0:
		var sum float64
		for r < len(squares) && r < limit && sum < g.Energy*norm2 {
			sum += squares[r]
			r++
		}
		// The last few estimates are too low by much, and so is their sum.
		return r, r == limit && r <= len(squares) || sum >= g.Energy*norm2
	default:
		for r < len(squares) && r < limit && squares[r] > g.Floor*g.Floor {
			r++
		}
	}
	return r, r < len(squares) || r == limit && r <= len(squares)
}

// Rank returns the rank that the goal means for a matrix with the given singular
// values, of which ‖D‖ is the norm; n is the length of its shorter side.
func (g Goal) RankOf(values []float64, norm float64, n int) int {
	squares := make([]float64, len(values))
	for i, v := range values {
		squares[i] = v * v
	}
	r, _ := g.rank(squares, norm*norm, n)
	return min(r, len(values))
}

// tight is the tolerance below which blocks are wide.
const tight = 1e-5

// blockSize returns how many vectors a step adds, a multiple of what one tile of
// the matrix product takes: a quarter of the rank, because small blocks reach as
// far as large ones with fewer products, but more than it for a tight tolerance,
// as the vectors then have to be found without random directions in the blocks,
// see [krylov.step].
func (g Goal) blockSize(n int, tolerance float64) int {
	const tile = 16
	r := 8 * tile // it may come out much lower than the limit
	switch {
	case g.Rank > 0:
		r = g.Rank
	case g.Max > 0:
		r = min(r, g.Max)
	}
	if tolerance < tight {
		r = 4 * (r + 4)
	}
	return min((r+4*tile-1)/(4*tile)*tile, n)
}

// basisLimit returns how many vectors of length n the basis may have before it
// is cut down to the best of them, with blocks of b: eight times the rank, which
// is never needed in practice, or 96 MiB, but always room for some steps.
func (g Goal) basisLimit(n, b int) int {
	const most = 96 << 20
	r := g.limit(n)
	return min(n, max(r+3*b, min(8*r+4*b, most/(4*n))))
}

// keepsImages reports whether the products of D with the basis are kept: they are
// the left factor in other coordinates, which takes another product otherwise.
func (g Goal) keepsImages(rows, cols, b int) bool {
	const most = 64 << 20
	return 4*int64(rows)*int64(g.basisLimit(cols, b)) <= most
}

// NoiseEdge returns about how large the largest singular value of a matrix of
// independent errors is, if the variances of the errors add up to at most row in
// a row and to at most column in a column:
//
//	(√row + √column) · (1 + (1/√rows + 1/√cols)^⅓ / (√rows + √cols))
//
// With equal variances σ² the first factor is σ·(√rows + √cols), the upper edge
// of the Marchenko-Pastur law, and with unequal ones a bound of it that is nearly
// sharp (Bandeira and van Handel, Annals of Probability 44, 2016); the second is
// the fluctuation about it, Tracy and Widom's, which 99 in 100 matrices stay
// below.
func NoiseEdge(row, column float64, rows, cols int) float64 {
	m, n := math.Sqrt(float64(rows)), math.Sqrt(float64(cols))
	return (math.Sqrt(row) + math.Sqrt(column)) * (1 + math.Cbrt(1/m+1/n)/(m+n))
}

// Memory returns an upper bound of the memory in bytes that decomposing and
// factoring a matrix takes at a time.
func (g Goal) Memory(rows, cols int) int64 {
	n, short := cols, min(rows, cols)
	if cols > leftFrom*rows {
		n = rows
	}
	if isSmall(rows, cols) {
		return 8*int64(short)*int64(short)*3 + 4*int64(rows)*int64(cols)*int64(b2i(rows < cols)) + 4*panelFloats
	}
	width := g.blockSize(short, 0)
	r, b := int64(g.limit(short)), int64(width)
	basis := 8 * int64(g.basisLimit(n, width)) * int64(n)
	if n == cols && g.keepsImages(rows, cols, width) {
		basis += 4 * int64(g.basisLimit(n, width)) * int64(rows)
	}
	step := 4*b*int64(n)*3 + 12*b*int64(cols)           // a block, its product twice, and the sums behind that
	factor := 8*r*int64(n) + 12*r*int64(cols) + 4*r*512 // vectors, LᵀD, R, a panel of L
	panel := 4 * int64(max(panelRows(cols)*cols, panelFloats))
	return basis + max(step, factor) + panel
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
