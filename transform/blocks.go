package transform

import "github.com/loratool/loratool/formats"

// A block is a piece of work: some rows of a tensor, some pieces of several that are
// computed together, or some bytes that are copied.
type block struct {
	file   int             // in the layout
	tensor *formats.Tensor // nil for a file that is copied as a whole
	joint  *placedJoint    // nil unless the tensor is computed with others
	offset int64           // of the tensor's data in the file
	lo, hi int             // rows; pieces of the joint; bytes of the extent if copied
	size   int64           // of the output
	cost   int64           // memory it takes
}

const (
	// computeBlock is how much memory a computed block is meant to take: about as
	// much as a level-2 cache, so that what a stage writes the next one finds there.
	computeBlock = 1 << 20
	// repeatedShare is how many times the memory that every block takes, whatever
	// its size, its rows take at least. It holds what is read anew for each block,
	// such as the factor A of a product B·A.
	repeatedShare = 4
	// copiedBlock is how much is copied in one go.
	copiedBlock = 1 << 20
	// copiedCost is the memory that copying takes where the system can't do it.
	copiedCost = 1 << 20
)

// eachBlock divides the layout into blocks that take no more than share bytes of
// memory each, unless a single row or piece does, and calls f with them in file order;
// tensors that are computed together are in the place of the first.
func eachBlock(l *formats.Layout, share int64, f func(block) error) error {
	joints := placeJoints(l)
	for i := range l.Files {
		lf := &l.Files[i]
		if lf.Copy != "" {
			if err := f(block{file: i, size: lf.Size, cost: copiedCost}); err != nil {
				return err
			}
		}
		for _, p := range lf.Tensors {
			b := block{file: i, tensor: p.Tensor, offset: p.Offset}
			if err := b.divide(joints, share, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// divide calls f with the blocks of the tensor that b is of.
func (b block) divide(joints map[*formats.Joint]*placedJoint, share int64, f func(block) error) error {
	t := b.tensor
	if t.NumBytes() == 0 {
		return nil
	}
	if e := t.Extent(); e != nil {
		return b.cut(int(e.Size), copiedBlock, f, func(lo, hi int) (size, cost int64) { return int64(hi - lo), copiedCost })
	}
	if j, _ := t.Joint(); j != nil {
		if b.joint = joints[j]; b.joint.divided {
			return nil
		}
		b.joint.divided = true
		return b.cut(j.NumPieces, blockSize(j.NumPieces, share, func(n int) int64 { return jointCost(j, n) }), f, func(lo, hi int) (size, cost int64) {
			return b.joint.size(lo, hi), jointCost(j, hi-lo)
		})
	}
	return b.cut(t.NumRows(), blockSize(t.NumRows(), share, func(n int) int64 { return blockCost(t, n) }), f, func(lo, hi int) (size, cost int64) {
		return int64(hi-lo) * t.RowBytes(), blockCost(t, hi-lo)
	})
}

// cut calls f with blocks of step rows, or whatever there are n of.
func (b block) cut(n, step int, f func(block) error, measure func(lo, hi int) (size, cost int64)) error {
	for b.lo = 0; b.lo < n; b.lo = b.hi {
		b.hi = min(b.lo+step, n)
		b.size, b.cost = measure(b.lo, b.hi)
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// blockSize returns how many of count rows make a block, if n of them take cost(n)
// bytes: as many as computeBlock and repeatedShare say, but fewer if they take more
// than share bytes, and one at least.
func blockSize(count int, share int64, cost func(n int) int64) int {
	row := max(1, cost(2)-cost(1))
	repeated := max(0, cost(1)-row)
	n := int(min(max(1, (computeBlock-repeated)/row, repeatedShare*repeated/row), int64(count)))
	for n > 1 && cost(n) > share {
		n /= 2
	}
	return n
}

// blockCost returns the memory that a block of n rows takes: its output, what
// computing it takes, and what size classes of buffers waste of both.
func blockCost(t *formats.Tensor, n int) int64 {
	return (int64(n)*t.RowBytes() + t.Rows.Scratch(n)) * 9 / 8
}

// jointCost is blockCost of tensors that are computed together.
func jointCost(j *formats.Joint, n int) int64 {
	return (j.NumBytes(0, n) + j.Scratch(n)) * 9 / 8
}
