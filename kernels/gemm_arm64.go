//go:build !purego

package kernels

// The NEON micro-kernels read elements of A one by one with a load that spreads
// them to all lanes. The assembler has only the multiply-add of whole registers.

//go:noescape
func gemm8x12NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)

//go:noescape
func gemm8x4NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)

//go:noescape
func gemm1x12NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)

//go:noescape
func gemm1x4NEON(tiles, k int, a *float32, aRow, aCol int, b *float32, bRow, bTile int, c *float32, cRow int)

var gemmNEON = tiling{
	heights: []int{8, 1},
	widths:  []int{12, 4},
	kernels: [][]microKernel{{gemm8x12NEON, gemm1x12NEON}, {gemm8x4NEON, gemm1x4NEON}},
}

func gemm(c []float32, ldc int, a, b operand, m, n, k int) {
	if useNEON {
		gemmBlocked(&gemmNEON, c, ldc, a, b, m, n, k)
		return
	}
	gemmGeneric(c, ldc, a, b, m, n, k)
}
