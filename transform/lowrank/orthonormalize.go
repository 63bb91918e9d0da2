package lowrank

import (
	"math"

	"github.com/loratool/loratool/kernels"
)

// orthonormalize makes the b rows of w orthonormal, and orthogonal to the basis.
// They are taken as projected already. Directions whose squared length is below
// floor are replaced by random ones.
//
// One round is a Cholesky factorization of w·wᵀ in float64, with the largest
// pivot first, and w ← L⁻¹·w in float32; what that leaves, of cancellation or of
// a bad condition, is small and goes with the next ones (CholeskyQR2: Yamamoto,
// Nakatsukasa, Yanagisawa, Fukaya, ETNA 44, 2015).
func (k *krylov) orthonormalize(w []float32, b int, floor float64) {
	const enough = 4e-6 // of float32 vectors, in w·wᵀ − I
	for range 20 {
		g := k.selfProducts(w, b)
		if distanceFromIdentity(g, b) < enough {
			return
		}
		inverse, kept := invertCholesky(g, b, floor)
		k.transform(w, inverse, b, kept)
		if kept < b {
			k.draw(w[kept*k.n:])
		}
		k.project(w, b)
		// By now they are unit vectors; one that projection shortens much was
		// rounding error in the main.
		floor = 1e-3
	}
}

// project subtracts from the rows of w what lies in the span of the basis.
func (k *krylov) project(w []float32, rows int) {
	for _, b := range k.blocks {
		c := make([]float32, rows*b.rows)
		k.team.Ranges(b.rows, 4, func(lo, hi int) {
			kernels.GemmNT(c[lo:], b.rows, w, k.n, b.x[lo*k.n:], k.n, rows, hi-lo, k.n)
		})
		kernels.Scale(c, -1)
		k.team.Ranges(k.n, 64, func(lo, hi int) {
			kernels.Gemm(w[lo:], k.n, c, b.rows, b.x[lo:], k.n, rows, hi-lo, b.rows)
		})
	}
}

// selfProducts returns w·wᵀ.
func (k *krylov) selfProducts(w []float32, rows int) []float64 {
	g := make([]float64, rows*rows)
	k.team.Each(rows, func(i int) {
		for j := range i + 1 {
			g[i*rows+j] = kernels.Dot(w[i*k.n:][:k.n], w[j*k.n:][:k.n])
		}
	})
	for i := range rows {
		for j := range i {
			g[j*rows+i] = g[i*rows+j]
		}
	}
	return g
}

// transform replaces w by the first kept rows of T·w.
func (k *krylov) transform(w []float32, t []float32, b, kept int) {
	k.team.Ranges(k.n, 64, func(lo, hi int) {
		out := make([]float32, kept*(hi-lo))
		kernels.Gemm(out, hi-lo, t, b, w[lo:], k.n, kept, hi-lo, b)
		for i := range kept {
			copy(w[i*k.n+lo:i*k.n+hi], out[i*(hi-lo):])
		}
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

// invertCholesky returns L⁻¹·P with P·g·Pᵀ = L·Lᵀ, its first kept rows: those of
// pivots above floor, the largest first.
func invertCholesky(g []float64, b int, floor float64) (inverse []float32, kept int) {
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
	for ; kept < b; kept++ {
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
