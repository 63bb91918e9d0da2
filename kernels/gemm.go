package kernels

// Matrix products in float32, row-major. ldc, lda and ldb are the distances
// between the starts of rows. Every element is one chain of fused multiply-adds in
// the order of the inner index, starting from what C holds, so that the result
// has the same bits however the work is divided: by rows and columns of C, or
// along the inner index by calling several times.
//
// C must not overlap A or B. The assembly versions copy panels of A and B into
// buffers of 0.8 MB, one for each call that runs at a time, from a sync.Pool.

// Gemm adds the product of A, of shape [m, k], and B, of shape [k, n], to C, of
// shape [m, n]:
//
//	for i := range m {
//		for j := range n {
//			for p := range k {
//				c[i*ldc+j] = FMA32(a[i*lda+p], b[p*ldb+j], c[i*ldc+j])
//			}
//		}
//	}
func Gemm(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	checkMatrix("Gemm: C", c, m, n, ldc)
	checkMatrix("Gemm: A", a, m, k, lda)
	checkMatrix("Gemm: B", b, k, n, ldb)
	gemm(c, ldc, operand{a, lda, 1}, operand{b, ldb, 1}, m, n, k)
}

// GemmTN is [Gemm] with A stored transposed, of shape [k, m]: it adds Aᵀ·B to C,
// with a[p*lda+i] for a[i*lda+p].
func GemmTN(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	checkMatrix("GemmTN: C", c, m, n, ldc)
	checkMatrix("GemmTN: A", a, k, m, lda)
	checkMatrix("GemmTN: B", b, k, n, ldb)
	gemm(c, ldc, operand{a, 1, lda}, operand{b, ldb, 1}, m, n, k)
}

// GemmNT is [Gemm] with B stored transposed, of shape [n, k]: it adds A·Bᵀ to C,
// with b[j*ldb+p] for b[p*ldb+j].
func GemmNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb int, m, n, k int) {
	checkMatrix("GemmNT: C", c, m, n, ldc)
	checkMatrix("GemmNT: A", a, m, k, lda)
	checkMatrix("GemmNT: B", b, n, k, ldb)
	gemm(c, ldc, operand{a, lda, 1}, operand{b, 1, ldb}, m, n, k)
}

// An operand is a matrix whose element (i, j) is x[i*row+j*col]; one of row and
// col is 1.
type operand struct {
	x        []float32
	row, col int
}

func checkMatrix(name string, x []float32, rows, cols, ld int) {
	switch {
	case rows < 0 || cols < 0:
		panic("kernels: " + name + ": negative shape")
	case rows == 0 || cols == 0:
	case ld < cols:
		panic("kernels: " + name + ": rows overlap")
	case len(x) < cols || (len(x)-cols)/ld < rows-1:
		panic("kernels: " + name + ": slice shorter than the matrix")
	}
}
