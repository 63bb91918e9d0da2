package lowrank

// transpose returns a matrix of shape [rows, cols], row-major, turned: of shape
// [cols, rows].
func transpose(x []float32, rows, cols int) []float32 {
	t := make([]float32, len(x))
	const tile = 16 // rows and columns at a time, so that both sides stay in a cache
	for i := 0; i < rows; i += tile {
		for j := range cols {
			for k := i; k < min(i+tile, rows); k++ {
				t[j*rows+k] = x[k*cols+j]
			}
		}
	}
	return t
}
