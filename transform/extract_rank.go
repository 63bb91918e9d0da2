package transform

import (
	"cmp"
	"slices"

	"github.com/loratool/loratool/formats"
)

// ranksDependOnOthers reports whether no layer's rank is known before all
// layers are decomposed.
func (x *extraction) ranksDependOnOthers() bool {
	return x.o.Budget > 0 || x.o.Uniform && x.o.Rank == 0
}

// settleRanks chooses the ranks from what is known of all layers.
func (x *extraction) settleRanks() error {
	if x.o.Budget > 0 {
		bytes, err := x.factorBudget()
		if err != nil {
			return err
		}
		x.spend(bytes / int64(x.dtype.BlockBytes()))
		return nil
	}
	rank := 0
	for _, j := range x.jobs {
		rank = max(rank, j.rank)
	}
	for _, j := range x.jobs {
		if j.survey.delta2 > 0 {
			j.rank = rank
		}
	}
	return nil
}

// factorBudget returns what the budget leaves for factors.
func (x *extraction) factorBudget() (int64, error) {
	left := x.o.Budget
	for _, t := range append(slices.Clone(x.changed), x.added...) {
		left -= t.NumBytes()
	}
	if left < 0 {
		return 0, formats.Reasonf(formats.ErrMismatch, "a budget of %d bytes is less than the %d of what must be saved in full: norms, biases, embeddings",
			x.o.Budget, x.o.Budget-left)
	}
	return left, nil
}

// spend chooses the ranks so that the factors have at most so many parameters
// and keep as much of Σ‖Δ‖² as possible. A singular value σ of a matrix of m rows
// and n columns keeps σ² for m+n parameters, and those of a matrix fall from the
// first on; so taking them in the order of σ²/(m+n) is the best there is, but for
// the last. Fused experts have one rank: their values are taken together.
func (x *extraction) spend(parameters int64) {
	type item struct {
		layer, index int
		gain         float64
		cost         int64
	}
	var items []item
	for li, l := range x.layers {
		jobs := x.jobsOf(l)
		cost := int64(len(jobs)) * int64(l.matrices[0].rows+l.matrices[0].cols)
		for i := range x.o.maxRank() {
			var gain float64
			for _, j := range jobs {
				if j.dec != nil && i < j.dec.Rank {
					gain += float64(j.dec.Values[i] * j.dec.Values[i])
				}
			}
			if gain == 0 {
				break
			}
			items = append(items, item{li, i, gain / float64(cost), cost})
		}
	}
	if x.o.Uniform {
		// Ranks first: the i-th value of every layer before any i+1-th.
		slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.index, b.index) })
	} else {
		slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(b.gain, a.gain) })
	}
	ranks := make([]int, len(x.layers))
	closed := make([]bool, len(x.layers))
	for _, it := range items {
		if it.cost > parameters || closed[it.layer] {
			closed[it.layer] = true
			if x.o.Uniform {
				x.dropRank(ranks, it.index)
				break
			}
			continue
		}
		parameters -= it.cost
		ranks[it.layer] = it.index + 1
	}
	for li, l := range x.layers {
		for _, j := range x.jobsOf(l) {
			j.rank = ranks[li]
		}
	}
}

// dropRank takes back the rank that not all layers could have.
func (x *extraction) dropRank(ranks []int, rank int) {
	for i := range ranks {
		ranks[i] = min(ranks[i], rank)
	}
}
