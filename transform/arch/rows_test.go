package arch

import (
	"bytes"
	"context"
	"testing"

	"github.com/loratool/loratool/formats"
)

// countedRows are rows of one byte, their number, that count how often they are
// asked for.
type countedRows struct{ reads int }

func (c *countedRows) Scratch(int) int64 { return 0 }

func (c *countedRows) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	c.reads++
	for i := range dst {
		dst[i] = byte(lo + i)
	}
	return nil
}

func counted(rows int) (*formats.Tensor, *countedRows) {
	c := &countedRows{}
	return &formats.Tensor{Info: formats.Info{Name: "t", DType: formats.U8, Shape: []int{rows, 1}}, Rows: c}, c
}

// Rows that are wanted in another order than they lie in come in that order,
// whatever part of them is asked for, and are read by the stretch.
func TestGatherReadsStretches(t *testing.T) {
	a, readsOfA := counted(8)
	b, readsOfB := counted(8)
	runs := []run{{a, 0, 1}, {a, 2, 3}, {a, 1, 2}, {a, 3, 4}, {b, 4, 6}, {b, 2, 4}, {a, 7, 8}, {a, 7, 8}}
	want := []byte{0, 2, 1, 3, 4, 5, 2, 3, 7, 7}
	g := gather("g", []int{len(want), 1}, runs)
	for lo := range want {
		for hi := lo + 1; hi <= len(want); hi++ {
			got := make([]byte, hi-lo)
			if err := g.ReadRows(t.Context(), got, lo, hi); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want[lo:hi]) {
				t.Errorf("rows %d to %d: got %v, want %v", lo, hi, got, want[lo:hi])
			}
		}
	}
	readsOfA.reads, readsOfB.reads = 0, 0
	if err := g.ReadRows(t.Context(), make([]byte, len(want)), 0, len(want)); err != nil {
		t.Fatal(err)
	}
	if readsOfA.reads != 3 || readsOfB.reads != 1 {
		t.Errorf("%d and %d reads, want 3 and 1", readsOfA.reads, readsOfB.reads)
	}
}
