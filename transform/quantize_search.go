package transform

import (
	"cmp"
	"slices"
)

// A sizeOption is what one format of one tensor costs.
type sizeOption struct {
	bytes int64
	loss  float64
}

// A sizeSearch picks one option of each list so that the sum of losses is small
// and the sum of bytes no more than the budget: the multiple-choice knapsack
// problem. The relaxation that lets options be mixed has a simple solution: of
// every list only the lower convex hull counts (loss over bytes), and the steps
// along the hulls are taken in order of what they gain a byte, until the budget
// is used up in the midst of one. Without that one the choice is feasible, and the
// relaxed loss bounds what any choice can reach. What is left is filled with the
// single changes that gain most.
type sizeSearch struct {
	options [][]sizeOption
	budget  int64
}

// A sizeStep moves a list from one option of its hull to the next larger one.
type sizeStep struct {
	list, option int
	bytes        int64
	gain         float64
}

// hull returns the indices of the options on the lower convex hull, by bytes.
func hull(options []sizeOption) []int {
	order := make([]int, len(options))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(options[a].bytes, options[b].bytes), cmp.Compare(options[a].loss, options[b].loss))
	})
	var h []int
	for _, i := range order {
		o := options[i]
		if len(h) > 0 && o.loss >= options[h[len(h)-1]].loss {
			continue // larger and no better
		}
		for len(h) >= 2 && slope(options[h[len(h)-2]], options[h[len(h)-1]]) <= slope(options[h[len(h)-2]], o) {
			h = h[:len(h)-1]
		}
		h = append(h, i)
	}
	return h
}

// slope returns what going from a to b gains a byte.
func slope(a, b sizeOption) float64 { return (a.loss - b.loss) / float64(b.bytes-a.bytes) }

// steps returns the smallest choice, and the steps from there in order of gain.
func (s *sizeSearch) steps() (choice []int, steps []sizeStep) {
	choice = make([]int, len(s.options))
	for i, options := range s.options {
		h := hull(options)
		choice[i] = h[0]
		for j := 1; j < len(h); j++ {
			from, to := options[h[j-1]], options[h[j]]
			steps = append(steps, sizeStep{i, h[j], to.bytes - from.bytes, from.loss - to.loss})
		}
	}
	// Along a hull gains a byte fall, so that a list's steps stay in order.
	slices.SortStableFunc(steps, func(a, b sizeStep) int {
		return cmp.Compare(b.gain/float64(b.bytes), a.gain/float64(a.bytes))
	})
	return choice, steps
}

func (s *sizeSearch) bytes(choice []int) (n int64) {
	for i, c := range choice {
		n += s.options[i][c].bytes
	}
	return n
}

func (s *sizeSearch) loss(choice []int) (sum float64) {
	for i, c := range choice {
		sum += s.options[i][c].loss
	}
	return sum
}

// least returns the fewest bytes that a choice can have.
func (s *sizeSearch) least() int64 {
	choice, _ := s.steps()
	return s.bytes(choice)
}

// bound returns a loss that no choice within the budget is below.
func (s *sizeSearch) bound() float64 {
	choice, steps := s.steps()
	left, loss := s.budget-s.bytes(choice), s.loss(choice)
	for _, step := range steps {
		if step.bytes > left {
			return loss - step.gain*float64(left)/float64(step.bytes)
		}
		left, loss = left-step.bytes, loss-step.gain
	}
	return loss
}

// search returns a choice within the budget that is no worse than any of the
// given ones. The smallest choice must be within the budget.
func (s *sizeSearch) search(others [][]int) []int {
	best := s.fill(s.greedy())
	for _, choice := range others {
		if s.bytes(choice) > s.budget {
			continue
		}
		if choice = s.fill(choice); s.loss(choice) < s.loss(best) {
			best = choice
		}
	}
	for s.exchange(best) {
		best = s.fill(best)
	}
	return best
}

// greedy takes steps in order, as long as they fit. A list of which one does not
// fit stays where it is.
func (s *sizeSearch) greedy() []int {
	choice, steps := s.steps()
	left := s.budget - s.bytes(choice)
	stuck := make([]bool, len(choice))
	for _, step := range steps {
		if stuck[step.list] || step.bytes > left {
			stuck[step.list] = true
			continue
		}
		choice[step.list] = step.option
		left -= step.bytes
	}
	return choice
}

// fill makes the single change that fits and gains most, until there is none.
func (s *sizeSearch) fill(choice []int) []int {
	choice = slices.Clone(choice)
	left := s.budget - s.bytes(choice)
	for {
		list, option, gain := s.bestChange(choice, left, -1)
		if gain == 0 {
			return choice
		}
		left -= s.options[list][option].bytes - s.options[list][choice[list]].bytes
		choice[list] = option
	}
}

// bestChange returns the change of one list, but not of except, that fits in the
// bytes that are left and gains most; gain is 0 if there is none.
func (s *sizeSearch) bestChange(choice []int, left int64, except int) (list, option int, gain float64) {
	for i, options := range s.options {
		if i == except {
			continue
		}
		now := options[choice[i]]
		for j, o := range options {
			if o.bytes-now.bytes <= left && now.loss-o.loss > gain {
				list, option, gain = i, j, now.loss-o.loss
			}
		}
	}
	return list, option, gain
}

// maxExchanges is how many pairs of changes are looked at: enough for a model of
// a few hundred tensors, and no more than a second's work.
const maxExchanges = 50_000_000

// exchange makes one list smaller and with that another one larger, where this
// gains, and reports whether it did.
func (s *sizeSearch) exchange(choice []int) bool {
	total := 0
	for _, options := range s.options {
		total += len(options)
	}
	if total*total > maxExchanges {
		return false
	}
	left := s.budget - s.bytes(choice)
	for i, options := range s.options {
		now := options[choice[i]]
		for j, o := range options {
			if o.bytes >= now.bytes {
				continue
			}
			list, option, gain := s.bestChange(choice, left+now.bytes-o.bytes, i)
			if gain > (o.loss-now.loss)*(1+1e-9) { // not by what rounding makes of equal ones
				choice[i], choice[list] = j, option
				return true
			}
		}
	}
	return false
}
