//go:build !purego && (amd64 || arm64)

package kernels

// packedRow is the distance between rows of packed A: no power of two.
const packedRow = blockInner + 16

// packingA says whether a block of A is worth a copy: if it is long enough for its
// rows to push each other out of the first-level cache, and read more than once.
func packingA(inner, cols int) bool { return inner > 64 && cols > maxWidth }

// packingB says whether a panel of B is worth a copy: if it is long, and read, once
// for every strip of A, ten times or more.
func packingB(strips, inner int) bool { return inner > 32 && strips >= 10 }

// packA returns rows × inner elements of a, copied to dst if that pays.
func packA(dst []float32, a operand, rows, inner, cols int) operand {
	switch {
	case !packingA(inner, cols):
		return a
	case a.col == 1:
		for i := range rows {
			copy(dst[i*packedRow:], a.x[i*a.row:][:inner])
		}
		return operand{dst, packedRow, 1}
	}
	for p := range inner {
		copy(dst[p*blockRows:], a.x[p*a.col:][:rows])
	}
	return operand{dst, 1, blockRows}
}

// packB copies inner rows of cols elements of b to rows of the given width, with
// zeros at their ends.
func packB(dst []float32, b operand, inner, cols, width int) {
	if b.col == 1 {
		for p := range inner {
			row := dst[p*width:][:width]
			clear(row[copy(row, b.x[p*b.row:][:cols]):])
		}
		return
	}
	if cols < width {
		clear(dst[:inner*width])
	}
	for j := range cols {
		column := b.x[j*b.col:][:inner]
		for p, v := range column {
			dst[p*width+j] = v
		}
	}
}
