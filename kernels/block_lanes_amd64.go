//go:build !purego

package kernels

import "encoding/binary"

// blockLanes has a batch of blocks of 32 values on its way through the lanes.
type blockLanes struct {
	x, w, scratch [32 * 16]float32 // columns
	packed        [8 * 16]uint32   // levels, four columns in one
	nibbles       [4 * 16]uint32   // their low halves: columns j and j+16 in a byte
	fifths        [16]uint32       // their fifth bits, bit j of column j
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
	rows := weightRows(weights, i, 32, b.blocks, 32, rowLen, b.lanes)
	importanceWeightsLanes(&b.w[0], &sum, &b.x[0], &rows, &b.sigma2, 32, b.lanes)
}

// pack makes nibbles and fifths from the packed levels.
func (b *blockLanes) pack() {
	if b.lanes == 16 {
		packColumnsAVX512(&b.nibbles[0], &b.fifths, &b.packed[0])
	} else {
		packColumnsAVX2(&b.nibbles[0], &b.fifths, &b.packed[0])
	}
}

// storeNibbles stores the low halves of the levels of the block in that lane.
func (b *blockLanes) storeNibbles(dst []byte, lane int) {
	for i := range 4 {
		binary.LittleEndian.PutUint32(dst[4*i:], b.nibbles[i*b.lanes+lane])
	}
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
		var starts [16]*float32
		for j := range lanes {
			starts[j] = &src[min(r+j, rows-1)*rowLen:][:rowLen][0]
		}
		sumSquaresRows(&sum, &starts, rowLen, lanes)
		for j := 0; j < lanes && r < rows; j++ {
			b.rowSigma2[r] = sum[j] / float32(rowLen)
			r++
		}
	}
}

// loadWeighted is load and weigh, with the spread of each block's row of src, which has
// no more than 16 rows.
func (b *blockLanes) loadWeighted(src []float32, i, rowLen int, weights []float32) {
	// The spreads come first: a vector can't be loaded before its lanes have reached the
	// cache one by one.
	row, c := i/rowLen, i%rowLen
	for lane := range b.sigma2 {
		b.sigma2[lane] = b.rowSigma2[row&15]
		if c += 32; c == rowLen {
			row, c = row+1, 0
		}
	}
	if b.load(src, i); b.lanes > 0 {
		b.weigh(weights, i, rowLen)
	}
}

// quantize finds the levels that a search gave: lo..hi, counted from lo.
func (b *blockLanes) quantize(inverse, base *perLane, lo, hi float32) {
	if b.lanes == 16 {
		searchLevelsAVX512(&b.packed[0], &b.x[0], inverse, base, 32, lo, hi)
	} else {
		searchLevelsAVX2(&b.packed[0], &b.x[0], inverse, base, 32, lo, hi)
	}
	b.pack()
}

// noBase is the base of symmetric levels.
var noBase perLane

// rowGroup returns how many values of rows of rowLen to take at a time: 16 rows.
func rowGroup(n, rowLen int) int { return min(n, 16*rowLen) }
