//go:build !purego && (amd64 || arm64)

package kernels

import "sync"

// The product is cut into blocks that stay in a cache while they are used (Goto and
// van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008), from
// outside in:
//
//	columns of C and B   blockCols at a time
//	inner index          blockInner at a time: this panel of B stays in the second-level cache
//	rows of C and A      blockRows at a time
//	rows                 a tile's height at a time: this strip of A stays in the first-level cache
//	columns              a tile's width at a time, in assembly
//
// A block of A or B is copied first ("packed") where the kernels could not read it
// in place, or would be slow at it: rows a power of two apart compete for the same
// few lines of a cache.
const (
	blockCols  = 288
	blockInner = 1024
	blockRows  = 48
)

// A microKernel computes tiles of C side by side:
//
//	for t := range tiles {
//		for i := range height {
//			for j := range width {
//				for p := range k {
//					C[i*cRow+t*width+j] = FMA32(A[i*aRow+p*aCol], B[t*bTile+p*bRow+j], C[i*cRow+t*width+j])
//				}
//			}
//		}
//	}
//
// for tiles and k of at least 1. It may prefetch past the end of C.
type microKernel func(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)

// A tiling is the micro-kernels of an instruction set. Heights and widths fall; the
// last height is 1, and every width is a multiple of the next.
type tiling struct {
	heights []int
	widths  []int
	kernels [][]microKernel // by width and height
}

// maxHeight and maxWidth bound the tiles of every instruction set.
const (
	maxHeight = 12
	maxWidth  = 32
)

// gemmBuffers is room for packed blocks, and for a tile at the right edge of C.
type gemmBuffers struct {
	a    [blockRows * packedRow]float32
	b    [blockInner * (blockCols + maxWidth)]float32
	tile [maxHeight * maxWidth]float32
}

var gemmPool = sync.Pool{New: func() any { return new(gemmBuffers) }}

// gemmBlocked is gemmGeneric by the micro-kernels of t.
func gemmBlocked(t *tiling, c []float32, ldc int, a, b operand, m, n, k int) {
	if m == 0 || n == 0 || k == 0 {
		return
	}
	buf := gemmPool.Get().(*gemmBuffers)
	defer gemmPool.Put(buf)
	for j := 0; j < n; j += blockCols {
		cols := min(blockCols, n-j)
		for p := 0; p < k; p += blockInner {
			inner := min(blockInner, k-p)
			bp := newPanel(buf.b[:], t, b.from(p, j), m, cols, inner)
			for i := 0; i < m; i += blockRows {
				rows := min(blockRows, m-i)
				ap := packA(buf.a[:], a.from(i, p), rows, inner, cols)
				bp.multiply(c[i*ldc+j:], ldc, ap, rows, &buf.tile)
			}
		}
	}
}

// from returns the operand without its first i rows and j columns.
func (o operand) from(i, j int) operand {
	o.x = o.x[i*o.row+j*o.col:]
	return o
}
