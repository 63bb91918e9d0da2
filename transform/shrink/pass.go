package shrink

import (
	"context"
	"sync"

	"github.com/loratool/loratool/formats"
)

// A pass finds what takes all of some matrices, such as a mean, and is needed before any
// of their codes. Whoever asks for it takes part: each takes the next chunk until there
// is none, so that no worker waits while another one reads. What chunks say is added in
// order, so that sums are the same for any number of workers.
type pass struct {
	of    []weights
	piece int                         // elements; chunks are whole pieces
	look  func(x []float32) []float32 // what a chunk says, borrowed
	add   func(said []float32)        // called for one chunk at a time

	mu           sync.Mutex
	changed      sync.Cond
	taken, added int               // chunks
	failed       []int             // to be taken anew, by whoever asks next
	early        map[int][]float32 // what chunks say that come after one that is missing
}

func newPass(piece int, look func(x []float32) []float32, add func(said []float32), of ...weights) *pass {
	p := &pass{of: of, piece: piece, look: look, add: add, early: map[int][]float32{}}
	p.changed.L = &p.mu
	return p
}

// find returns when all that is to be found is known.
func (p *pass) find(ctx context.Context) error {
	for {
		i, ok := p.take()
		if !ok {
			return nil
		}
		said, err := p.read(ctx, i)
		p.put(i, said, err)
		if err != nil {
			return err
		}
	}
}

// take returns a chunk to look at. It waits while others look at the last ones, which
// may fail; ok is false when nothing is missing.
func (p *pass) take() (i int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	total := p.chunks()
	for p.added < total {
		if n := len(p.failed); n > 0 {
			i, p.failed = p.failed[n-1], p.failed[:n-1]
			return i, true
		}
		if p.taken < total {
			p.taken++
			return p.taken - 1, true
		}
		p.changed.Wait()
	}
	return 0, false
}

// put adds what a chunk says, and what has waited for it.
func (p *pass) put(i int, said []float32, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.changed.Broadcast()
	if err != nil {
		p.failed = append(p.failed, i)
		return
	}
	p.early[i] = said
	for next, ok := p.early[p.added]; ok; next, ok = p.early[p.added] {
		p.add(next)
		formats.ReturnFloats(next)
		delete(p.early, p.added)
		p.added++
	}
}

// chunks returns how many there are.
func (p *pass) chunks() (n int) {
	for _, w := range p.of {
		n += p.chunksOf(w)
	}
	return n
}

func (p *pass) chunksOf(w weights) int {
	step := w.chunk(p.piece)
	return (w.NumElements() + step - 1) / step
}

// read looks at a chunk.
func (p *pass) read(ctx context.Context, i int) ([]float32, error) {
	w := p.of[0]
	for _, w = range p.of {
		n := p.chunksOf(w)
		if i < n {
			break
		}
		i -= n
	}
	step := w.chunk(p.piece)
	x, err := w.readFlat(ctx, i*step, min((i+1)*step, w.NumElements()))
	if err != nil {
		return nil, err
	}
	defer formats.ReturnFloats(x)
	return p.look(x), nil
}

// scratch is the memory that find takes.
func (p *pass) scratch() (most int64) {
	for _, w := range p.of {
		most = max(most, w.flatScratch(w.chunk(p.piece)))
	}
	return most
}
