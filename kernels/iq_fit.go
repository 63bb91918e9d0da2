package kernels

import "math"

const maxFloat32 = math.MaxFloat32

// maxTrials is the greatest number of scales that an IQ quantizer tries for a
// sub-block, rounded up to whole vectors.
const maxTrials = 32

// A gridFit is how an IQ2 or IQ3 format finds the scale of a sub-block, 16 or 32
// values made positive, and a point of its codebook for each group of them. A
// value is approximated by scale·(2·level+1).
type gridFit struct {
	book *codebook

	// The trials: scales that make the sub-block's peak (2·radix−1)+i·step, for
	// i = first..last.
	first, last int
	step        float32

	// What is chosen again with the final scale: the groups that the best trial
	// had to move to a neighbour; all groups if there is one of those; or all.
	again reselect
}

type reselect int

const (
	reselectMoved reselect = iota
	reselectAllIfMoved
	reselectAll
)

// gridTrials are the outcomes of the trials of one sub-block. The assembly knows the
// layout.
type gridTrials struct {
	inverse [maxTrials]float32 // the trial's 1/scale
	scale   [maxTrials]float32
	sumXQ   [maxTrials]float32 // Σ w·x·q, q = 2·level+1
	sumQ2   [maxTrials]float32 // Σ w·q²
	cells   [8][maxTrials]uint32
	points  [8][maxTrials]uint32 // packed, by group and trial
	n       int                  // trials
}

// fit chooses points for the first n values of s and returns the scale that fits them
// best. peak is what the trials scale; scale is the outcome if no trial is any good,
// and then the points are all zeros.
func (f *gridFit) fit(s *iqBlock, n int, peak, scale float32) float32 {
	b, t, points := f.book, &s.trials, &s.points
	top := float32(2*b.radix - 1)
	t.n = 0
	for i := f.first; i <= f.last; i++ {
		t.inverse[t.n] = (top + float32(float32(i)*f.step)) / peak
		t.scale[t.n] = 1 / t.inverse[t.n]
		t.n++
	}
	gridTry(b, s, n)

	pick, best := -1, float32(0)
	for i := range t.n {
		xq, q2 := t.sumXQ[i], t.sumQ2[i]
		if q2 > 0 && float32(xq*xq) > float32(best*q2) {
			scale = xq / q2
			best = scale * xq
			pick = i
		}
	}
	groups := n / b.dims
	var moved [8]bool
	anyMoved := false
	for g := range groups {
		points[g] = 0
		if pick >= 0 {
			points[g] = uint16(t.points[g][pick])
			moved[g] = b.cells[t.cells[g][pick]]&offGrid != 0
		} else if f.again == reselectAllIfMoved {
			moved[g] = true // the reference calls nothing on the grid before a trial is
		}
		anyMoved = anyMoved || moved[g]
	}
	if !(scale > 0) || !anyMoved && f.again != reselectAll {
		return scale
	}
	inverse := 1 / scale
	value := oddMultiples(scale)
	for g := range groups {
		if moved[g] || f.again != reselectMoved {
			xg := s.x[g*b.dims : (g+1)*b.dims]
			points[g] = b.nearest(b.cell(xg, inverse), xg, s.root[g*b.dims:], &value)
		}
	}
	return b.refit(points, s.x[:n], s.w[:n], scale)
}

// refit returns the scale of least weighted square error for the points, or scale
// if nothing has weight.
func (b *codebook) refit(points *[8]uint16, x, w []float32, scale float32) float32 {
	var sumXQ, sumQ2 float32
	for i, v := range x {
		q := float32(2*b.level(points[i/b.dims], i%b.dims) + 1)
		sumXQ += float32(float32(w[i]*v) * q)
		sumQ2 += float32(float32(w[i]*q) * q)
	}
	if sumQ2 > 0 {
		return sumXQ / sumQ2
	}
	return scale
}

// cell returns the cell of a group: each value's level is (x/scale−1)/2, rounded.
func (b *codebook) cell(x []float32, inverse float32) int {
	cell := 0
	for i := b.dims - 1; i >= 0; i-- {
		l := nearestLevel(0.5*(float32(inverse*x[i])-1), 0, int32(b.radix-1))
		cell = cell*b.radix + int(l)
	}
	return cell
}

// oddMultiples returns scale times 1, 3 … 15.
func oddMultiples(scale float32) (v [8]float32) {
	for l := range v {
		v[l] = float32(scale * float32(2*l+1))
	}
	return v
}
