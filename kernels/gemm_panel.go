//go:build !purego && (amd64 || arm64)

package kernels

// A panel is a block of B of inner rows. Strips as wide as tiles follow one another
// where they are packed; otherwise they are where the caller has them.
type panel struct {
	t           *tiling
	x           []float32
	row         int // distance between rows, 0 if packed
	edge        []float32
	inner, cols int
}

// newPanel packs the first inner rows and cols columns of b to dst if that pays for
// a product with m rows. The columns at the right that fill no tile are packed
// always.
func newPanel(dst []float32, t *tiling, b operand, m, cols, inner int) panel {
	p := panel{t: t, x: b.x, row: b.row, inner: inner, cols: cols}
	narrowest := t.widths[len(t.widths)-1]
	whole := cols - cols%narrowest
	if b.col != 1 || packingB(m/t.heights[0], inner) {
		p.x, p.row = dst, 0
		for j := 0; j < whole; {
			w := t.widest(whole - j)
			packB(dst[j*inner:], b.from(0, j), inner, w, w)
			j += w
		}
		dst = dst[whole*inner:]
	}
	if whole < cols {
		p.edge = dst
		packB(dst, b.from(0, whole), inner, cols-whole, narrowest)
	}
	return p
}

// widest returns the width of the next tile where cols columns are left.
func (t *tiling) widest(cols int) int {
	for _, w := range t.widths {
		if w <= cols {
			return w
		}
	}
	return 0
}

// multiply adds the product of a, of the given rows, and the panel to c.
func (p panel) multiply(c []float32, ldc int, a operand, rows int, tile *[maxHeight * maxWidth]float32) {
	for i, h := 0, 0; i < rows; {
		if rows-i < p.t.heights[h] {
			h++
			continue
		}
		p.multiplyStrip(c[i*ldc:], ldc, a.from(i, 0), h, tile)
		i += p.t.heights[h]
	}
}

// multiplyStrip is multiply for as many rows as tiles of the height h have.
func (p panel) multiplyStrip(c []float32, ldc int, a operand, h int, tile *[maxHeight * maxWidth]float32) {
	j := 0
	for w, width := range p.t.widths {
		tiles := (p.cols - j) / width
		if tiles == 0 {
			continue
		}
		b, row, next := p.x[j*p.inner:], width, width*p.inner
		if p.row != 0 {
			b, row, next = p.x[j:], p.row, width
		}
		p.t.kernels[w][h](tiles, p.inner, &a.x[0], a.row, a.col, &b[0], row, next, &c[j], ldc)
		j += tiles * width
	}
	if j == p.cols {
		return
	}
	// The last columns of C go to a whole tile and back.
	w := len(p.t.widths) - 1
	width := p.t.widths[w]
	for i := range p.t.heights[h] {
		copy(tile[i*width:][:width], c[i*ldc+j:i*ldc+p.cols])
	}
	p.t.kernels[w][h](1, p.inner, &a.x[0], a.row, a.col, &p.edge[0], width, 0, &tile[0], width)
	for i := range p.t.heights[h] {
		copy(c[i*ldc+j:i*ldc+p.cols], tile[i*width:])
	}
}
