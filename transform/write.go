package transform

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/loratool/loratool/formats"
)

// DefaultMemory is the memory that [Write] keeps to if the options say nothing.
const DefaultMemory = 1 << 30

// Options say how to write, not what: the output is the same for all of them.
type Options struct {
	Memory   int64          // bytes that all buffers together may take; 0 for DefaultMemory
	Workers  int            // goroutines that compute; 0 for as many as there are CPUs
	Force    bool           // replace an output that exists
	Progress func(Progress) // called after every block, by one goroutine at a time; may be nil
}

// Progress says how far a run has come.
type Progress struct {
	Done, Total int64  // bytes of output
	Tensor      string // or the file that was just worked on
}

func (o *Options) memory() int64 {
	if o.Memory == 0 {
		return DefaultMemory
	}
	return o.Memory
}

func (o *Options) workers() int {
	if o.Workers == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return o.Workers
}

// Write brings the layout's files into being under the given path, a folder or a
// file. Either all of it is there in the end, or the path is as it was before.
// The inputs are not closed.
func Write(ctx context.Context, l *formats.Layout, path string, o Options) error {
	out, err := formats.Create(path, l, o.Force)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := fill(ctx, l, out, &o); err != nil {
		return err
	}
	if err := unchanged(l.Inputs); err != nil {
		return err
	}
	return out.Commit(ctx)
}

// fill writes all blocks. Each waits for its share of the memory first, in
// order, so that a large one is not overtaken for ever.
func fill(ctx context.Context, l *formats.Layout, out *formats.Output, o *Options) error {
	memory, workers := o.memory(), o.workers()
	g, ctx := errgroup.WithContext(ctx)
	budget := semaphore.NewWeighted(memory)
	blocks := make(chan block)
	g.Go(func() error {
		defer close(blocks)
		return eachBlock(l, memory/int64(workers), func(b block) error {
			if err := budget.Acquire(ctx, min(b.cost, memory)); err != nil {
				return context.Cause(ctx)
			}
			select {
			case blocks <- b:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	report := reporter(l.NumBytes(), o.Progress)
	for i := range l.Files { // Create has written them
		report(int64(len(l.Files[i].Head)), l.Files[i].Name)
	}
	for range workers {
		g.Go(func() error {
			for b := range blocks {
				if err := b.write(ctx, l, out); err != nil {
					return err
				}
				budget.Release(min(b.cost, memory))
				report(b.size, b.name(l))
			}
			return nil
		})
	}
	return g.Wait()
}

func (b *block) name(l *formats.Layout) string {
	if b.tensor != nil {
		return b.tensor.Name
	}
	return l.Files[b.file].Name
}

// reporter returns a function that adds up what was done.
func reporter(total int64, progress func(Progress)) func(n int64, tensor string) {
	if progress == nil {
		return func(int64, string) {}
	}
	var (
		mu   sync.Mutex
		done int64
	)
	return func(n int64, tensor string) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		progress(Progress{done, total, tensor})
	}
}

func (b *block) write(ctx context.Context, l *formats.Layout, out *formats.Output) error {
	lf := &l.Files[b.file]
	if b.tensor == nil {
		return copyAsset(lf, out, b.file)
	}
	if b.joint != nil {
		return b.joint.write(ctx, l, out, b.lo, b.hi)
	}
	if e := b.tensor.Extent(); e != nil {
		defer out.Written(b.file, b.offset+int64(b.lo), b.size)
		return e.CopyTo(out.File(b.file), b.offset, int64(b.lo), int64(b.hi))
	}
	buf := formats.BorrowBytes(int(b.size))
	defer formats.ReturnBytes(buf)
	if err := b.tensor.ReadRows(ctx, buf, b.lo, b.hi); err != nil {
		return err
	}
	at := b.offset + int64(b.lo)*b.tensor.RowBytes()
	if _, err := out.File(b.file).WriteAt(buf, at); err != nil {
		return out.Error(lf, err)
	}
	out.Written(b.file, at, b.size)
	return nil
}

// copyAsset copies a file that accompanies the weights as a whole.
func copyAsset(lf *formats.LayoutFile, out *formats.Output, i int) error {
	f, err := formats.OpenFile(lf.Copy)
	if err != nil {
		return err
	}
	defer f.Close()
	whole := formats.Extent{File: f, Size: lf.Size}
	if err := whole.CopyTo(out.File(i), 0, 0, lf.Size); err != nil {
		return out.Error(lf, err)
	}
	return nil
}
