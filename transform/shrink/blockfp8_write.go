package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

const fp8Tile = 128

// encodeBlockFP8 returns the tensors of a matrix in FP8 with a scale for each tile of
// 128×128: scale = amax / 448.
func encodeBlockFP8(module string, w weights) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	tall, wide := (n+fp8Tile-1)/fp8Tile, (k+fp8Tile-1)/fp8Tile
	return []*formats.Tensor{
		tensor(module+".weight", formats.F8_E4M3, &tiled{w, false}, n, k),
		tensor(module+".weight_scale_inv", formats.F32, &tiled{w, true}, tall, wide),
	}
}

// tiled are the codes or the scales of a matrix in tiles.
type tiled struct {
	w      weights
	scales bool
}

func (t *tiled) tiles() int { return (t.w.NumCols() + fp8Tile - 1) / fp8Tile }

func (t *tiled) Scratch(int) int64 {
	return t.w.scratch(fp8Tile) + 8*int64(fp8Tile+1)*int64(t.tiles())
}

func (t *tiled) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	if t.scales {
		size := 4 * t.tiles()
		for i := lo; i < hi; i++ {
			if err := t.band(ctx, i, func(x, s []float32) { kernels.EncodeF32(dst[(i-lo)*size:][:size], s) }); err != nil {
				return err
			}
		}
		return nil
	}
	cols := t.w.NumCols()
	for at := lo; at < hi; {
		i := at / fp8Tile
		end := min(hi, (i+1)*fp8Tile)
		err := t.band(ctx, i, func(x, s []float32) {
			for r := at; r < end; r++ {
				row := x[(r-i*fp8Tile)*cols:][:cols]
				kernels.DivideGroups(row, row, s, fp8Tile)
				kernels.EncodeF8E4M3(dst[(r-lo)*cols:][:cols], row)
			}
		})
		if err != nil {
			return err
		}
		at = end
	}
	return nil
}

// band calls f with the rows of the i-th row of tiles, and their scales.
func (t *tiled) band(ctx context.Context, i int, f func(x, s []float32)) error {
	rows, cols := t.w.NumRows(), t.w.NumCols()
	x, err := t.w.read(ctx, i*fp8Tile, min((i+1)*fp8Tile, rows))
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(x)
	s, row := formats.BorrowFloats(t.tiles()), formats.BorrowFloats(t.tiles())
	defer formats.ReturnFloats(s)
	defer formats.ReturnFloats(row)
	clear(s)
	for r := 0; r < len(x); r += cols {
		kernels.PeakGroups(row, x[r:r+cols], fp8Tile)
		for j, p := range row {
			s[j] = max(s[j], p)
		}
	}
	for j := range s {
		s[j] /= 448
	}
	f(x, s)
	return nil
}
