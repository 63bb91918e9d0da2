package lowrank

import "math"

// shifted solves (T − λI)·x = b for a tridiagonal T, by elimination with row
// exchanges, which leaves an upper triangle of three diagonals.
type shifted struct {
	u0, u1, u2 []float64 // the diagonals
	l          []float64 // multipliers
	swap       []bool
}

func newShifted(n int) *shifted {
	f := func() []float64 { return make([]float64, n) }
	return &shifted{f(), f(), f(), f(), make([]bool, n)}
}

// factor eliminates; pivots smaller than tiny are replaced by it.
func (s *shifted) factor(t *tridiagonal, shift, tiny float64) {
	n := t.n
	clear(s.u2)
	d, e := t.diag[0]-shift, 0.0
	if n > 1 {
		e = t.off[1]
	}
	for i := range n - 1 {
		below, next, after := t.off[i+1], t.diag[i+1]-shift, 0.0
		if i+2 < n {
			after = t.off[i+2]
		}
		if s.swap[i] = math.Abs(below) > math.Abs(d); s.swap[i] {
			s.u0[i], s.u1[i], s.u2[i] = below, next, after
			s.l[i] = d / below
			d, e = e-float64(s.l[i]*next), -float64(s.l[i]*after)
		} else {
			if math.Abs(d) < tiny {
				d = math.Copysign(tiny, d)
			}
			s.u0[i], s.u1[i] = d, e
			s.l[i] = below / d
			d, e = next-float64(s.l[i]*e), after
		}
	}
	if math.Abs(d) < tiny {
		d = math.Copysign(tiny, d)
	}
	s.u0[n-1] = d
}

// solve replaces b by the solution.
func (s *shifted) solve(b []float64) {
	n := len(b)
	for i := range n - 1 {
		if s.swap[i] {
			b[i], b[i+1] = b[i+1], b[i]
		}
		b[i+1] -= float64(s.l[i] * b[i])
	}
	for i := n - 1; i >= 0; i-- {
		v := b[i]
		if i+1 < n {
			v -= float64(s.u1[i] * b[i+1])
		}
		if i+2 < n {
			v -= float64(s.u2[i] * b[i+2])
		}
		b[i] = v / s.u0[i]
		if math.Abs(b[i]) > 1e200 { // a shift that is an eigenvalue to the last bit
			for j := range b {
				b[j] *= 1e-200
			}
		}
	}
}
