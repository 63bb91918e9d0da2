package lowrank

import (
	"cmp"
	"math"
	"slices"
)

// A Product is a matrix given as Lᵀ·R, both factors with one row for each rank
// index: L of shape [rank, rows], R of shape [rank, columns].
type Product struct {
	Rank, Rows, Cols int
	L, R             []float64
}

// Decompose returns the singular values of the product and its singular vectors,
// u of shape [rank, rows] and v of shape [rank, columns], from the largest value
// on, without forming the product: L = S·Q and R = T·P with orthonormal rows of Q
// and P, and the singular value decomposition of Sᵀ·T, which is small. All of it
// is float64; the factors are overwritten. The element of each u that is largest in
// size is positive.
func (p *Product) Decompose() (values, u, v []float64) {
	r := p.Rank
	s, t := orthogonalize(p.L, r), orthogonalize(p.R, r)
	core := make([]float64, r*r)
	for k := range r {
		for i := range r {
			axpy64(core[i*r:][:r], s[k*r+i], t[k*r:][:r])
		}
	}
	values, left, right := jacobi(core, r)
	u, v = multiply(left, p.L, r, p.Rows), multiply(right, p.R, r, p.Cols)
	for i := range r {
		x := u[i*p.Rows:][:p.Rows]
		if len(x) > 0 && slices.MaxFunc(x, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) }) < 0 {
			negate(x)
			negate(v[i*p.Cols:][:p.Cols])
		}
	}
	return values, u, v
}

// orthogonalize replaces the r rows of x by orthonormal ones Q, or zeros where
// they depend on earlier ones, and returns S with x = S·Q, by Gram-Schmidt with a
// second pass over each row, which makes it as accurate as Householder's method.
func orthogonalize(x []float64, r int) []float64 {
	n := len(x) / r
	s := make([]float64, r*r)
	for i := range r {
		row := x[i*n:][:n]
		before := math.Sqrt(dot64(row, row))
		for range 2 {
			for j := range i {
				c := dot64(row, x[j*n:][:n])
				axpy64(row, -c, x[j*n:][:n])
				s[i*r+j] += c
			}
		}
		after := math.Sqrt(dot64(row, row))
		if after <= 1e-13*before {
			clear(row)
			continue
		}
		s[i*r+i] = after
		for k := range row {
			row[k] /= after
		}
	}
	return s
}

// jacobi returns the singular value decomposition of a square matrix, a = Σ
// values[i]·left[i]ᵀ·right[i], with the vectors as rows, by rotating pairs of rows
// until all are orthogonal (Hestenes' one-sided method), which finds small values
// as accurately as large ones.
func jacobi(a []float64, r int) (values, left, right []float64) {
	turn := make([]float64, r*r)
	for i := range r {
		turn[i*r+i] = 1
	}
	for range 60 {
		rotated := false
		for i := range r {
			for j := i + 1; j < r; j++ {
				x, y := a[i*r:][:r], a[j*r:][:r]
				xx, yy, xy := dot64(x, x), dot64(y, y), dot64(x, y)
				if math.Abs(xy) <= 1e-15*math.Sqrt(float64(xx*yy)) {
					continue
				}
				rotated = true
				zeta := (yy - xx) / (2 * xy)
				t := math.Copysign(1/(math.Abs(zeta)+math.Hypot(zeta, 1)), zeta)
				c := 1 / math.Hypot(t, 1)
				rotate(x, y, c, c*t)
				rotate(turn[i*r:][:r], turn[j*r:][:r], c, c*t)
			}
		}
		if !rotated {
			break
		}
	}
	order := make([]int, r)
	norms := make([]float64, r)
	for i := range r {
		order[i], norms[i] = i, math.Sqrt(dot64(a[i*r:][:r], a[i*r:][:r]))
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(norms[j], norms[i]) })
	for _, i := range order {
		values = append(values, norms[i])
		left = append(left, turn[i*r:][:r]...)
		row := a[i*r:][:r]
		if norms[i] > 0 {
			for k := range row {
				row[k] /= norms[i]
			}
		}
		right = append(right, row...)
	}
	return values, left, right
}

// rotate replaces x by c·x − s·y and y by s·x + c·y.
func rotate(x, y []float64, c, s float64) {
	y = y[:len(x)]
	for k, v := range x {
		w := y[k]
		x[k] = float64(c*v) - float64(s*w)
		y[k] = float64(s*v) + float64(c*w)
	}
}

// multiply returns C·X for C of shape [r, r] and X of shape [r, n].
func multiply(c, x []float64, r, n int) []float64 {
	y := make([]float64, r*n)
	for i := range r {
		for k := range r {
			axpy64(y[i*n:][:n], c[i*r+k], x[k*n:][:n])
		}
	}
	return y
}

func negate(x []float64) {
	for i := range x {
		x[i] = -x[i]
	}
}

// Inner returns ⟨A, B⟩ of two products of the same shape, the sum of the products
// of their elements, from the factors alone: Σ (L_A·L_Bᵀ) ∘ (R_A·R_Bᵀ).
func (p *Product) Inner(q *Product) (sum float64) {
	for i := range p.Rank {
		for j := range q.Rank {
			l := dot64(p.L[i*p.Rows:][:p.Rows], q.L[j*q.Rows:][:q.Rows])
			sum += float64(l * dot64(p.R[i*p.Cols:][:p.Cols], q.R[j*q.Cols:][:q.Cols]))
		}
	}
	return sum
}
