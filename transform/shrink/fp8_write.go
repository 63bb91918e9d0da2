package shrink

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// encodeFP8 returns the tensors of a matrix in FP8 with a scale for each row:
// scale = round16(amax / 448).
func encodeFP8(module string, w weights, half formats.DType) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	encode := func(dst [][]byte, x []float32) {
		s := formats.BorrowFloats(len(x) / k)
		defer formats.ReturnFloats(s)
		kernels.PeakGroups(s, x, k)
		roundedQuotients(dst[1], s, e4m3Most, half)
		kernels.DivideGroups(x, x, s, k)
		kernels.EncodeF8E4M3(dst[0], x)
	}
	return w.encoded(k, 0, encode,
		part(module+".weight", formats.F8_E4M3, k, n, k),
		part(module+".weight_scale", half, half.BlockBytes(), n, 1))
}

// e4m3Most is the greatest E4M3.
const e4m3Most = 448

const fp8Tile = 128

// encodeBlockFP8 returns the tensors of a matrix in FP8 with a scale for each tile of
// 128×128: scale = amax / 448. A piece is a row of tiles.
func encodeBlockFP8(module string, w weights) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	tall, wide := (n+fp8Tile-1)/fp8Tile, (k+fp8Tile-1)/fp8Tile
	encode := func(dst [][]byte, x []float32) {
		codes, scales := dst[0], dst[1]
		for len(x) > 0 {
			band := x[:min(len(x), fp8Tile*k)]
			encodeBand(codes[:len(band)], scales[:4*wide], band, k)
			codes, scales, x = codes[len(band):], scales[4*wide:], x[len(band):]
		}
	}
	return w.encoded(fp8Tile*k, 0, encode,
		part(module+".weight", formats.F8_E4M3, fp8Tile*k, n, k),
		part(module+".weight_scale_inv", formats.F32, 4*wide, tall, wide))
}

// encodeBand encodes a row of tiles of k columns.
func encodeBand(codes, scales []byte, x []float32, k int) {
	wide := len(scales) / 4
	s, row := formats.BorrowFloats(wide), formats.BorrowFloats(wide)
	defer formats.ReturnFloats(s)
	defer formats.ReturnFloats(row)
	clear(s)
	for r := 0; r < len(x); r += k {
		kernels.PeakGroups(row, x[r:r+k], fp8Tile)
		for j, p := range row {
			s[j] = max(s[j], p)
		}
	}
	for j := range s {
		s[j] /= e4m3Most
	}
	kernels.EncodeF32(scales, s)
	for r := 0; r < len(x); r += k {
		kernels.DivideGroups(x[r:r+k], x[r:r+k], s, fp8Tile)
	}
	kernels.EncodeF8E4M3(codes, x)
}
