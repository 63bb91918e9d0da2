package shrink

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loratool/loratool/formats"
)

// numbered are rows of which each number is its own index, and whose reading fails the
// first few times.
type numbered struct {
	cols     int
	failures atomic.Int32
}

var errReading = errors.New("reading fails")

func (n *numbered) Scratch(int) int64 { return 0 }

func (n *numbered) ReadRows(_ context.Context, dst []byte, lo, _ int) error {
	if n.failures.Add(-1) >= 0 {
		return errReading
	}
	for i := range len(dst) / 4 {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(float32(lo*n.cols+i)))
	}
	return nil
}

// TestPass says that several askers together look at each chunk once and add what it says
// in order, and that a chunk which could not be read is tried again.
func TestPass(t *testing.T) {
	const cols, askers, failures = 64, 4, 3
	rows := []*numbered{{cols: cols}, {cols: cols}}
	rows[0].failures.Store(failures)
	var of []weights
	for i, r := range rows {
		of = append(of, weights{tensor("w", formats.F32, r, 3000+100*i, cols)})
	}
	var got, want []float32
	p := newPass(1, func(x []float32) []float32 {
		said := formats.BorrowFloats(1)
		said[0] = x[0]
		return said
	}, func(said []float32) { got = append(got, said[0]) }, of...)
	for _, w := range of {
		for at := 0; at < w.NumElements(); at += w.chunk(1) {
			want = append(want, float32(at))
		}
	}
	var failed atomic.Int32
	var wait sync.WaitGroup
	for range askers {
		wait.Go(func() {
			for {
				err := p.find(t.Context())
				if err == nil {
					break
				}
				if !errors.Is(err, errReading) {
					t.Error(err)
				}
				failed.Add(1)
			}
		})
	}
	wait.Wait()
	if failed.Load() != failures {
		t.Errorf("%d errors, want %d", failed.Load(), failures)
	}
	if len(want) < 8 || !slices.Equal(got, want) {
		t.Errorf("the chunks that begin with %v were added, want %v", got, want)
	}
}
