package lowrank

import (
	"math"

	"github.com/loratool/loratool/kernels"
)

// A tridiagonal is a symmetric matrix A of order n, reduced to A = Q·T·Qᵀ with T
// tridiagonal. All arithmetic on small matrices is float64 with every product
// rounded before it is added, so that it is the same on every CPU.
type tridiagonal struct {
	n         int
	exp       int       // T is that of A·2⁻ᵉˣᵖ, whose elements are at most 1
	diag, off []float64 // T; off[i] couples i-1 and i, off[0] = 0
	a         []float64 // row i holds the vector of the reflection H_i in its first i elements
	half      []float64 // ‖u_i‖²/2 of H_i = I − u_i·u_iᵀ/half; 0 for none
}

// tridiagonalize reduces a symmetric matrix, row-major, of which it reads and
// overwrites the lower triangle. (Householder's method as in EISPACK's tred2,
// from the last row up, with the inner loops along rows.)
func tridiagonalize(a []float64, n int) *tridiagonal {
	t := &tridiagonal{n, 0, make([]float64, n), make([]float64, n), a, make([]float64, n)}
	t.rescale()
	p := make([]float64, n)
	for i := n - 1; i > 0; i-- {
		u := a[i*n:][:i]
		var scale float64
		for _, v := range u[:i-1] {
			scale = max(scale, math.Abs(v))
		}
		if scale == 0 {
			t.off[i] = u[i-1]
			continue
		}
		scale = max(scale, math.Abs(u[i-1]))
		// Scaled by a power of two the squares neither overflow nor vanish.
		_, exp := math.Frexp(scale)
		for j := range u {
			u[j] = math.Ldexp(u[j], -exp)
		}
		norm := math.Copysign(math.Sqrt(dot64(u, u)), u[i-1])
		t.off[i] = -math.Ldexp(norm, exp)
		u[i-1] += norm
		h := float64(norm * u[i-1]) // ‖u‖²/2
		t.half[i] = h

		// p = A·u/h, of the leading block; then A −= u·qᵀ + q·uᵀ.
		clear(p[:i])
		for j := range i {
			row := a[j*n:][:j+1]
			p[j] = float64(row[j]*u[j]) + kernels.AddScaledDot64(p[:j], u[j], row[:j], u[:j])
		}
		k := 0.0
		for j := range i {
			p[j] /= h
		}
		k = dot64(p[:i], u) / (2 * h)
		axpy64(p[:i], -k, u)
		for j := range i {
			row := a[j*n:][:j+1]
			kernels.SubScaled64(row, u[j], p[:j+1], p[j], u[:j+1])
		}
	}
	for i := range n {
		t.diag[i] = a[i*n+i]
	}
	return t
}

func (t *tridiagonal) rescale() {
	var big float64
	for i := range t.n {
		for _, v := range t.a[i*t.n:][:i+1] {
			big = max(big, math.Abs(v))
		}
	}
	_, t.exp = math.Frexp(big)
	for i := range t.n {
		row := t.a[i*t.n:][:i+1]
		for j := range row {
			row[j] = math.Ldexp(row[j], -t.exp)
		}
	}
}

// values returns the eigenvalues in descending order, by the implicit QL method
// (EISPACK's tql1).
func (t *tridiagonal) values() []float64 {
	n := t.n
	d := append([]float64(nil), t.diag...)
	e := append(append([]float64(nil), t.off[min(1, n):]...), 0)
	for l := range n {
		for range 60 { // two or three do
			m := l
			for ; m < n-1; m++ {
				if math.Abs(e[m]) <= 0x1p-52*(math.Abs(d[m])+math.Abs(d[m+1])) {
					break
				}
			}
			if m == l {
				break
			}
			g := (d[l+1] - d[l]) / (2 * e[l])
			r := math.Hypot(g, 1)
			g = d[m] - d[l] + e[l]/(g+math.Copysign(r, g))
			s, c, p := 1.0, 1.0, 0.0
			i := m - 1
			for ; i >= l; i-- {
				f, b := float64(s*e[i]), float64(c*e[i])
				r = math.Sqrt(float64(f*f) + float64(g*g))
				e[i+1] = r
				if r == 0 {
					d[i+1] -= p
					e[m] = 0
					break
				}
				s, c = f/r, g/r
				g = d[i+1] - p
				r = float64((d[i]-g)*s) + float64(2*float64(c*b))
				p = float64(s * r)
				d[i+1] = g + p
				g = float64(c*r) - b
			}
			if r == 0 && i >= l {
				continue
			}
			d[l] -= p
			e[l] = g
			e[m] = 0
		}
	}
	for i := range d {
		d[i] = math.Ldexp(d[i], t.exp)
	}
	sortDescending(d)
	return d
}

// vectors returns unit eigenvectors of A for the first k of its eigenvalues,
// as rows of length n, by inverse iteration. Each is made orthogonal to all
// before it, so that clusters need no thought.
func (t *tridiagonal) vectors(values []float64, k int) []float64 {
	n := t.n
	x := make([]float64, k*n)
	s := newShifted(n)
	const tiny = 0x1p-52
	last := math.Inf(1)
	for i := range k {
		// Equal eigenvalues are told apart by a little, so that the iterations
		// do not start from the same factors.
		last = min(math.Ldexp(values[i], -t.exp), last-2*tiny)
		s.factor(t, last, tiny)
		v := x[i*n:][:n]
		for round, good := 0, 0; good < 2 && round < 12; round++ {
			if good == 0 {
				for j := range v {
					v[j] = float64(int64(mix(uint64(i)<<32+uint64(round)<<24+uint64(j))) >> 40)
				}
			}
			s.solve(v)
			normalize(v)
			for range 2 {
				for j := range i {
					axpy64(v, -dot64(v, x[j*n:][:n]), x[j*n:][:n])
				}
			}
			if normalize(v) > 0.01 {
				good++
			} else {
				good = 0 // it lay in the span of the others: start elsewhere
			}
		}
	}
	for i := range k {
		v := x[i*n:][:n]
		for j := 1; j < n; j++ {
			if t.half[j] != 0 {
				u := t.a[j*n:][:j]
				axpy64(v[:j], -dot64(v[:j], u)/t.half[j], u)
			}
		}
	}
	return x
}

// eigen returns the eigenvalues of a symmetric matrix in descending order, and
// eigenvectors of the first k as rows. It overwrites a.
func eigen(a []float64, n, k int) (values, vectors []float64) {
	t := tridiagonalize(a, n)
	values = t.values()
	return values, t.vectors(values, k)
}
