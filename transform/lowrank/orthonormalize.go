package lowrank

import (
	"math"

	"github.com/loratool/loratool/kernels"
)

// orthonormalize makes the b vectors of w orthonormal, and orthogonal to the
// basis. They are taken as projected already. Directions whose squared length is
// below floor, and all but the largest most of them, are replaced by random ones;
// it returns how many were kept.
//
// One round is a Cholesky factorization of WᵀW in float64, with the largest
// pivot first, and W ← W·L⁻ᵀ in float32; what that leaves, of cancellation or of
// a bad condition, is small and goes with the next ones (CholeskyQR2: Yamamoto,
// Nakatsukasa, Yanagisawa, Fukaya, ETNA 44, 2015).
func (k *krylov) orthonormalize(w []float32, b, most int, floor float64) (kept int) {
	const enough = 4e-6 // of float32 vectors, in WᵀW − I
	kept = -1
	for range 20 {
		g := k.gramOf(w, b)
		if kept >= 0 && distanceFromIdentity(g, b) < enough {
			break
		}
		inverse, n := invertCholesky(g, b, most, floor)
		k.transform(w, inverse, b)
		if n < b {
			k.draw(w, b, n)
		}
		if kept < 0 {
			kept = n
		}
		k.project(w, b)
		// By now they are unit vectors; one that projection shortens much was
		// rounding error in the main.
		most, floor = b, 1e-3
	}
	return kept
}

// gramOf returns WᵀW, in float64, for w of shape [n, b].
func (k *krylov) gramOf(w []float32, b int) []float64 {
	return k.team.selfProducts(transpose(w, k.n, b), b)
}

// selfProducts returns the inner products of all pairs of the rows of w.
func (t *Team) selfProducts(w []float32, rows int) []float64 {
	n := len(w) / rows
	g := make([]float64, rows*rows)
	t.Each(rows, func(i int) {
		for j := range i + 1 {
			g[i*rows+j] = kernels.Dot(w[i*n:][:n], w[j*n:][:n])
		}
	})
	for i := range rows {
		for j := range i {
			g[j*rows+i] = g[i*rows+j]
		}
	}
	return g
}

// transform replaces w by W·Tᵀ; t is square, with zeros for rows that don't matter.
func (k *krylov) transform(w []float32, t []float32, b int) {
	turned := transpose(t, b, b)
	k.team.Ranges(k.n, 48, func(lo, hi int) {
		out := make([]float32, b*(hi-lo))
		kernels.Gemm(out, b, w[lo*b:], b, turned, b, hi-lo, b, b)
		copy(w[lo*b:hi*b], out)
	})
}

func distanceFromIdentity(g []float64, b int) float64 {
	var most float64
	for i, v := range g {
		if i%(b+1) == 0 {
			v--
		}
		if d := math.Abs(v); !(d <= most) {
			most = d
		}
	}
	return most
}

// invertCholesky returns L⁻¹·P with P·g·Pᵀ = L·Lᵀ, its first kept rows, at most so
// many and those of pivots above floor, the largest first, and zeros.
func invertCholesky(g []float64, b, most int, floor float64) (inverse []float32, kept int) {
	l := append([]float64(nil), g...)
	inv := make([]float64, b*b) // rows follow the exchanges of l's
	for i := range b {
		inv[i*b+i] = 1
	}
	order := make([]int, b) // of the rows
	for i := range order {
		order[i] = i
	}
	floor = max(floor, 1e-14*maxDiagonal(g, b))
	inverse = make([]float32, b*b)
	for ; kept < most; kept++ {
		best := kept
		for i := kept + 1; i < b; i++ {
			// Rows of about the same length stay in their order.
			if l[order[i]*b+order[i]] > 1.01*l[order[best]*b+order[best]] {
				best = i
			}
		}
		order[kept], order[best] = order[best], order[kept]
		p := order[kept]
		pivot := l[p*b+p]
		if !(pivot > floor) {
			break
		}
		// Eliminate p from the rows that are left, in g and in its inverse alike.
		for _, i := range order[kept+1:] {
			f := l[i*b+p] / pivot
			if f != 0 {
				axpy64(l[i*b:][:b], -f, l[p*b:][:b])
				axpy64(inv[i*b:][:b], -f, inv[p*b:][:b])
			}
		}
		root := math.Sqrt(pivot)
		for j, v := range inv[p*b:][:b] {
			inverse[kept*b+j] = float32(v / root)
		}
	}
	return inverse, kept
}

func maxDiagonal(g []float64, b int) float64 {
	var most float64
	for i := range b {
		most = max(most, g[i*b+i])
	}
	return most
}
