package lowrank

// How good the best matrix of rank r could be
//
// In an orthonormal basis whose first vectors are V, M is
//
//	| T  Fᵀ |
//	| F  C  |
//
// with T and F known and C not. Because |2·xᵀFᵀy| ≤ xᵀFᵀF·x/s + s·yᵀy for any
// s > 0, M is at most (in the order of quadratic forms)
//
//	| T + FᵀF/s   0      |
//	| 0           C + s·I |
//
// so the sum of the r largest eigenvalues of M, which is the energy that the best
// approximation captures, is at most that of the r largest among the eigenvalues
// of T + FᵀF/s and c + s, taken r times, where c is the largest eigenvalue of C. F
// is nonzero for the newest block of V only. Every s gives a bound; the least of a
// few is taken.
//
// c is estimated: V without its last two blocks leaves a C' of which C is a
// part, and the last two blocks are two steps of a block Krylov iteration with
// C', so that the largest eigenvalue of T between them is a good estimate of the
// largest of C' from below. On spectra of every kind it was within a factor of
// 1.2; safety covers that.

// safety is what the estimate of c is multiplied by.
const safety = 1.3

// bestError2 returns a lower bound of the squared error of any matrix of rank r:
// the better one of that and the sum of the eigenvalues of T beyond the rank,
// which are at most those of M.
func (k *krylov) bestError2(values []float64, r int, norm2 float64) float64 {
	var captured, tail float64
	for _, v := range values[:r] {
		captured += v
	}
	for _, v := range values[r:] {
		tail += max(v, 0)
	}
	if k.size >= k.n {
		return max(norm2-captured, 0)
	}
	c := safety * k.outside()
	least := norm2
	for _, share := range [...]float64{0.1, 0.4} {
		s := share * values[max(r, 1)-1]
		if sum := k.boundedEnergy(r, s, c+s); sum < least {
			least = sum
		}
	}
	// The margin is for rounding errors of the float32 products.
	return max(norm2-least-1e-6*norm2, tail-1e-6*norm2, 0)
}

// outside returns the largest eigenvalue of t between the vectors of the last two
// blocks.
func (k *krylov) outside() float64 {
	first := k.size
	for _, b := range k.blocks[max(len(k.blocks)-2, 0):] {
		first -= b.cols
	}
	n := k.size - first
	a := make([]float64, n*n)
	for i := range n {
		copy(a[i*n:], k.t[first+i][first:])
	}
	return tridiagonalize(a, n).values()[0]
}

// boundedEnergy returns the sum of the r largest among the eigenvalues of
// T + FᵀF/s and r times other.
func (k *krylov) boundedEnergy(r int, s, other float64) (sum float64) {
	a := k.dense()
	n := k.size - k.last
	for i := range n {
		for j := range i + 1 {
			a[(k.last+i)*k.size+k.last+j] += k.residual[i*n+j] / s
		}
	}
	for i, v := range tridiagonalize(a, k.size).values() {
		if i == r {
			break
		}
		sum += max(v, other)
	}
	return sum
}
