package transform

import (
	"context"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/loratool/loratool/formats"
)

// scanBlock is how much of a tensor is read in one go. It is the same for any
// memory and any number of workers, so that sums over blocks are, too.
const scanBlock = 1 << 20

// A scanItem is something to be read by rows: a tensor, or two of the same shape.
type scanItem struct {
	name     string
	rows     int
	rowBytes int64
	together int                  // blocks are of multiples of so many rows, unless it is 0
	cost     func(rows int) int64 // memory in bytes that a block of so many rows takes
}

// blockRows returns how many rows make a block.
func (s *scanItem) blockRows() int {
	n := int(max(1, scanBlock/max(1, s.rowBytes)))
	if s.together == 0 {
		return n
	}
	return (n + s.together - 1) / s.together * s.together
}

// numBlocks returns how many blocks there are.
func (s *scanItem) numBlocks() int { return (s.rows + s.blockRows() - 1) / s.blockRows() }

// scan calls read for all blocks of all items, several at a time, within the
// memory of o. Blocks come in any order; their division does not depend on o.
func scan(ctx context.Context, items []scanItem, o *Options, read func(ctx context.Context, item, block, lo, hi int) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(o.workers())
	budget := semaphore.NewWeighted(o.memory())
	var total int64
	for i := range items {
		total += int64(items[i].rows) * items[i].rowBytes
	}
	report := reporter(total, o.Progress)
	for i := range items {
		it := &items[i]
		step := it.blockRows()
		for block, lo := 0, 0; lo < it.rows; block, lo = block+1, lo+step {
			hi := min(lo+step, it.rows)
			cost := min(it.cost(hi-lo), o.memory())
			if budget.Acquire(gctx, cost) != nil {
				break // g knows why, or ctx does
			}
			g.Go(func() error {
				defer budget.Release(cost)
				if err := read(gctx, i, block, lo, hi); err != nil {
					return err
				}
				report(int64(hi-lo)*it.rowBytes, it.name)
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// unchanged returns an error if one of the files is not what it was when it was
// opened.
func unchanged(files []*formats.File) error {
	for _, f := range files {
		if err := f.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}
