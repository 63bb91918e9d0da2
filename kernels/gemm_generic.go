package kernels

// gemmGeneric walks along rows of C, so that the order over p of each element is
// kept and memory is read in order where B is not transposed.
func gemmGeneric(c []float32, ldc int, a, b operand, m, n, k int) {
	if n == 0 {
		return
	}
	for i := range m {
		row := c[i*ldc:][:n]
		for p := range k {
			x := a.x[i*a.row+p*a.col]
			if b.col == 1 {
				for j, y := range b.x[p*b.row:][:n] {
					row[j] = FMA32(x, y, row[j])
				}
				continue
			}
			for j := range row {
				row[j] = FMA32(x, b.x[p+j*b.col], row[j])
			}
		}
	}
}
