//go:build !purego

package kernels

import "unsafe"

// superLanes has a batch of super-blocks on its way through the lanes. Its arrays of
// vectors come first and are whole cache lines.
type superLanes struct {
	x          [superBlock * 16]float32    // columns
	w, scratch [64 * 16]float32            // columns of a sub-block or two
	packed     [superBlock / 4 * 16]uint32 // levels, four columns in one
	levels     [16][superBlock]uint8
	sigma2     perLane

	lanes, blocks int    // blocks ≤ lanes of them are in use
	wild          uint32 // lanes that the generic code has to do
	_             [64 - 20]byte
}

// load takes the next blocks of src from i on, as many as there are lanes for, and
// returns how many. If it is not worth the while, the one block is wild.
func (b *superLanes) load(src []float32, i int) {
	blocks := (len(src) - i) / superBlock
	b.lanes = laneCount(blocks)
	if b.lanes == 0 {
		b.blocks, b.wild = 1, 1
		return
	}
	b.blocks, b.wild = min(b.lanes, blocks), 0
	loadColumns(&b.x[0], src, i, superBlock, b.blocks, superBlock, b.lanes)
}

// column returns column c of the values.
func (b *superLanes) column(c int) *float32 { return &b.x[c*b.lanes] }

// spreadBlocks sets sigma2 to factor·Σx²/256, for weigh.
func (b *superLanes) spreadBlocks(factor float32) {
	b.sigma2 = perLane{}
	sumSquaresLanes(&b.sigma2, b.column(0), superBlock, b.lanes)
	for j, s := range &b.sigma2 {
		b.sigma2[j] = factor * s / superBlock
	}
}

// weigh sets w to importance·√(sigma2 + x²) for n columns from c on, and sum to their
// sums; i is where the first block starts in rows of rowLen.
func (b *superLanes) weigh(w *float32, sum *perLane, weights []float32, i, rowLen, c, n int) {
	rows := weightRows(weights, i+c, superBlock, b.blocks, n, rowLen, b.lanes)
	importanceWeightsLanes(w, sum, b.column(c), &rows, &b.sigma2, n, b.lanes)
}

// quantize finds the levels of n columns from c on. It must have been done for all of
// them when unpack is called.
func (b *superLanes) quantize(l *levelLanes, c, n int, lo, hi float32) {
	l.quantize(&b.packed[c/4*b.lanes], b.column(c), n, lo, hi, b.lanes)
}

// unpack sorts the packed levels into those of each block.
func (b *superLanes) unpack() {
	for c := 0; c < superBlock/4; c += b.lanes {
		var rows [16]*float32
		for j := range b.lanes {
			rows[j] = (*float32)(unsafe.Pointer(&b.packed[(c+j)*b.lanes]))
		}
		transpose((*float32)(unsafe.Pointer(&b.levels[0][4*c])), superBlock, &rows, b.lanes, b.lanes)
	}
}

// isWild says whether the generic code has to do the block in that lane.
func (b *superLanes) isWild(lane int) bool { return b.wild>>lane&1 != 0 }

// scaleLanes has the scales of a batch of super-blocks on their way through the lanes,
// as columns, with the weights of their sub-blocks.
type scaleLanes struct {
	values, w, levels, products [16 * 16]float32
}

// set sets the value and weight of sub-block s of every lane.
func (c *scaleLanes) set(s, lanes int, value, w *perLane) {
	copy(c.values[s*lanes:][:lanes], value[:])
	copy(c.w[s*lanes:][:lanes], w[:])
}

// fit is fitPositive of n sub-blocks.
func (c *scaleLanes) fit(f *positiveLanes, tops *positiveTops, n, lanes int) {
	tops.fit(f, &c.values[0], &c.w[0], &c.products[0], &c.levels[0], n, lanes)
}

// level returns the level of sub-block s in a lane.
func (c *scaleLanes) level(s, lane, lanes int) uint8 { return uint8(int32(c.levels[s*lanes+lane])) }
