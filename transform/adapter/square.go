package adapter

import "math"

// A square is a small square matrix of float64. Its operations round every product
// before it is added, so that they give the same bits on every CPU.
type square struct {
	n int
	x []float64 // row-major
}

func newSquare(n int) square { return square{n, make([]float64, n*n)} }

func identity(n int) square {
	m := newSquare(n)
	for i := range n {
		m.x[i*n+i] = 1
	}
	return m
}

// plus returns m + a·o.
func (m square) plus(a float64, o square) square {
	r := newSquare(m.n)
	for i := range r.x {
		r.x[i] = m.x[i] + float64(a*o.x[i])
	}
	return r
}

// times returns the product m·o.
func (m square) times(o square) square {
	r := newSquare(m.n)
	for i := range m.n {
		for k := range m.n {
			a := m.x[i*m.n+k]
			for j := range m.n {
				r.x[i*m.n+j] += float64(a * o.x[k*m.n+j])
			}
		}
	}
	return r
}

func (m square) transposed() square {
	r := newSquare(m.n)
	for i := range m.n {
		for j := range m.n {
			r.x[j*m.n+i] = m.x[i*m.n+j]
		}
	}
	return r
}

// norm returns the Frobenius norm.
func (m square) norm() float64 { return math.Sqrt(dot64(m.x, m.x)) }

// solve returns X of m·X = b by elimination with row pivots; ok is false if m is
// singular.
func (m square) solve(b square) (x square, ok bool) {
	n := m.n
	a, x := m.plus(0, m), b.plus(0, b) // copies
	for c := range n {
		p := c
		for i := c + 1; i < n; i++ {
			if math.Abs(a.x[i*n+c]) > math.Abs(a.x[p*n+c]) {
				p = i
			}
		}
		if pivot := a.x[p*n+c]; pivot == 0 || math.IsNaN(pivot) {
			return x, false
		}
		for j := range n {
			a.x[c*n+j], a.x[p*n+j] = a.x[p*n+j], a.x[c*n+j]
			x.x[c*n+j], x.x[p*n+j] = x.x[p*n+j], x.x[c*n+j]
		}
		for i := range n {
			if f := a.x[i*n+c] / a.x[c*n+c]; i != c && f != 0 {
				subtract(a.x[i*n:(i+1)*n], f, a.x[c*n:(c+1)*n])
				subtract(x.x[i*n:(i+1)*n], f, x.x[c*n:(c+1)*n])
			}
		}
	}
	for i := range n {
		d := a.x[i*n+i]
		for j := range n {
			x.x[i*n+j] /= d
		}
	}
	return x, true
}

// cayley returns (I − Q)(I + Q)⁻¹. I + Q is regular for every skew-symmetric Q.
func cayley(q square) (r square, ok bool) {
	one := identity(q.n)
	r, ok = one.plus(1, q).transposed().solve(one.plus(-1, q).transposed()) // (I + Q)ᵀ·Rᵀ = (I − Q)ᵀ
	return r.transposed(), ok
}

// neumannCayley returns the first terms of the Neumann series of (I + Q)(I − Q)⁻¹,
// which is the transform of the other sign, as PEFT counts them: I + 2Q + 2Q² + …
// + Qᵗ⁻¹ for t terms, with the last one once; but 3 terms are 4, and 2 have the
// last one twice.
func neumannCayley(q square, terms int) square {
	r := identity(q.n)
	if terms < 2 {
		return r
	}
	last := 1
	if terms > 2 {
		last = max(terms-1, 3)
	}
	power := q
	for k := 1; k <= last; k++ {
		factor := 2.0
		if k == last && k > 1 {
			factor = 1
		}
		r = r.plus(factor, power)
		power = power.times(q)
	}
	return r
}
