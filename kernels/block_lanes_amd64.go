//go:build !purego

package kernels

import "unsafe"

// blockLanes has a batch of blocks of 32 values on its way through the lanes.
type blockLanes struct {
	x, w, scratch [32 * 16]float32 // columns
	importance    [32 * 16]float32
	packed        [8 * 16]uint32 // levels, four columns in one
	levels        [16][32]uint8
	sigma2        perLane

	lanes, blocks int    // blocks ≤ lanes of them are in use
	wild          uint32 // lanes that the generic code has to do
	_             [64 - 20]byte

	rowSigma2 perLane // Σx²/rowLen of up to 16 rows
}

// load takes the next blocks of src from i on, as many as there are lanes for. If that
// is not worth the while, the one block is wild.
func (b *blockLanes) load(src []float32, i int) {
	blocks := (len(src) - i) / 32
	b.lanes = laneCount(blocks)
	if b.lanes == 0 {
		b.blocks, b.wild = 1, 1
		return
	}
	b.blocks, b.wild = min(b.lanes, blocks), 0
	loadColumns(&b.x[0], src, i, 32, b.blocks, 32, b.lanes)
}

// weigh sets w to importance·√(sigma2 + x²), where the first block starts at i in rows of
// rowLen.
func (b *blockLanes) weigh(weights []float32, i, rowLen int) {
	var sum perLane
	loadWeights(&b.importance[0], weights, i, 32, b.blocks, 32, rowLen, b.lanes)
	importanceWeightsLanes(&b.w[0], &sum, &b.x[0], &b.importance[0], &b.sigma2, 32, b.lanes)
}

// unpack sorts the packed levels into those of each block.
func (b *blockLanes) unpack() {
	var rows [16]*float32
	for j := range 8 {
		rows[j] = (*float32)(unsafe.Pointer(&b.packed[j*b.lanes]))
	}
	transpose((*float32)(unsafe.Pointer(&b.levels[0][0])), 32, &rows, b.lanes, 8)
}

// isWild says whether the generic code has to do the block in that lane.
func (b *blockLanes) isWild(lane int) bool { return b.wild>>lane&1 != 0 }

// spreadRows sets rowSigma2 for the rows of src.
func (b *blockLanes) spreadRows(src []float32, rowLen int) {
	rows := len(src) / rowLen
	for r := 0; r < rows; {
		lanes := laneCount(rows - r)
		if lanes == 0 {
			b.rowSigma2[r] = rowSpread(src[r*rowLen:][:rowLen])
			r++
			continue
		}
		var sum perLane
		for c := 0; c < rowLen; c += 32 {
			loadColumns(&b.x[0], src, r*rowLen+c, rowLen, rows-r, 32, lanes)
			sumSquaresLanes(&sum, &b.x[0], 32, lanes)
		}
		for j := 0; j < lanes && r < rows; j++ {
			b.rowSigma2[r] = sum[j] / float32(rowLen)
			r++
		}
	}
}

// loadWeighted is load and weigh, with the spread of each block's row of src, which has
// no more than 16 rows.
func (b *blockLanes) loadWeighted(src []float32, i, rowLen int, weights []float32) {
	if b.load(src, i); b.lanes == 0 {
		return
	}
	for lane := range b.blocks {
		b.sigma2[lane] = b.rowSigma2[(i+32*lane)/rowLen]
	}
	b.weigh(weights, i, rowLen)
}

// quantize finds the levels that a search gave: lo..hi, counted from lo.
func (b *blockLanes) quantize(inverse, base *perLane, lo, hi float32) {
	l := levelLanes{inverse: *inverse, base: *base} // with d = 0
	l.quantize(&b.packed[0], &b.x[0], 32, lo, hi, b.lanes)
	b.wild |= l.wild
	b.unpack()
}

// rowGroup returns how many values of rows of rowLen to take at a time: 16 rows.
func rowGroup(n, rowLen int) int { return min(n, 16*rowLen) }
