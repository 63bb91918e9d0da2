package formatstest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/loratool/loratool/formats"
)

// Check reports what of the promises of package formats a model breaks:
//
//   - names are unique, and looking one up finds its tensor;
//   - shapes and number formats fit together, and the sizes with them;
//   - tensors of a file come in the order of their place in it, the file is
//     among the inputs, and the place lies within it;
//   - an Extent's bytes are what ReadRows gives;
//   - the same rows give the same bytes however they are asked for, from
//     several goroutines at once too, and nothing beside dst is written;
//   - ReadFloats gives what the number format's decoder makes of the bytes;
//   - a cancelled context ends a read.
//
// It reads all of the model, more than once.
func Check(t testing.TB, m *formats.Model) {
	t.Helper()
	if m.Path == "" || m.Format == "" {
		t.Errorf("the model has path %q and format %q", m.Path, m.Format)
	}
	checkNames(t, m)
	checkPlaces(t, m)
	for _, x := range m.Tensors {
		if checkSizes(t, x) {
			checkRows(t, x)
		}
	}
	for _, f := range m.Inputs {
		if err := f.Unchanged(); err != nil {
			t.Errorf("Unchanged: %v", err)
		}
	}
}

func checkNames(t testing.TB, m *formats.Model) {
	t.Helper()
	seen := map[string]bool{}
	for _, x := range m.Tensors {
		if seen[x.Name] {
			t.Errorf("two tensors are called %q", x.Name)
		}
		seen[x.Name] = true
		if m.Tensor(x.Name) != x {
			t.Errorf("Tensor(%q) returns another tensor", x.Name)
		}
	}
	if m.Tensor("no tensor has this name") != nil {
		t.Error("Tensor finds one that is not there")
	}
	keys := map[string]bool{}
	for _, kv := range m.Metadata {
		if keys[kv.Key] {
			t.Errorf("the metadata have %q twice", kv.Key)
		}
		keys[kv.Key] = true
	}
}

func checkPlaces(t testing.TB, m *formats.Model) {
	t.Helper()
	last := map[*formats.File]int64{}
	for _, x := range m.Tensors {
		e := x.Extent()
		if e == nil {
			continue
		}
		if !slices.Contains(m.Inputs, e.File) {
			t.Errorf("%q: its file %s is not among the model's inputs", x.Name, e.File.Path)
		}
		if e.Offset < last[e.File] {
			t.Errorf("%q at byte %d comes after a tensor at byte %d", x.Name, e.Offset, last[e.File])
		}
		last[e.File] = e.Offset
		if e.Offset < 0 || e.Size < 0 || e.Size > e.File.Size-e.Offset {
			t.Errorf("%q: bytes %d+%d of a file of %d", x.Name, e.Offset, e.Size, e.File.Size)
		}
		if e.Size != x.NumBytes() || e.RowBytes != x.RowBytes() {
			t.Errorf("%q: an extent of %d bytes, %d a row, for %v", x.Name, e.Size, e.RowBytes, &x.Info)
		}
	}
}

// checkSizes reports whether the tensor can be read at all.
func checkSizes(t testing.TB, x *formats.Tensor) bool {
	t.Helper()
	size, err := formats.CheckSize(x.DType, x.Shape)
	if err != nil {
		t.Errorf("%q: %v", x.Name, err)
		return false
	}
	if size != x.NumBytes() || size != int64(x.NumRows())*x.RowBytes() {
		t.Errorf("%q: %v has %d bytes in all, %d rows of %d bytes, and should have %d",
			x.Name, &x.Info, x.NumBytes(), x.NumRows(), x.RowBytes(), size)
	}
	if s := x.Rows.Scratch(x.NumRows()); s < 0 || s < x.Rows.Scratch(1) {
		t.Errorf("%q: Scratch of all rows is %d, of one %d", x.Name, s, x.Rows.Scratch(1))
	}
	return true
}

// guard is written around the destination of reads, where nothing may change.
const guard = 0xa5

// read returns the rows [lo, hi), and fails if the bytes around dst change.
func read(x *formats.Tensor, lo, hi int) ([]byte, error) {
	const margin = 64
	n := int(x.RowBytes()) * (hi - lo)
	buf := bytes.Repeat([]byte{guard}, n+2*margin)
	dst := buf[margin : margin+n : margin+n]
	if err := x.ReadRows(context.Background(), dst, lo, hi); err != nil {
		return nil, err
	}
	for i := range margin {
		if buf[i] != guard || buf[len(buf)-1-i] != guard {
			return nil, errors.New("it wrote beside its destination")
		}
	}
	return dst, nil
}

func checkRows(t testing.TB, x *formats.Tensor) {
	t.Helper()
	n := x.NumRows()
	all, err := read(x, 0, n)
	if err != nil {
		t.Errorf("%q: reading all rows: %v", x.Name, err)
		return
	}
	checkExtent(t, x, all)
	checkDivisions(t, x, all)
	checkFloats(t, x, all)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.ReadRows(ctx, slices.Clone(all), 0, n); !errors.Is(err, context.Canceled) {
		t.Errorf("%q: a read with a cancelled context returns %v", x.Name, err)
	}
}

func checkExtent(t testing.TB, x *formats.Tensor, all []byte) {
	t.Helper()
	e := x.Extent()
	if e == nil {
		return
	}
	b := make([]byte, e.Size)
	if n, err := e.File.ReadAt(b, e.Offset); n != len(b) {
		t.Errorf("%q: reading its extent: %v", x.Name, err)
	} else if !bytes.Equal(b, all) {
		t.Errorf("%q: ReadRows does not give the bytes of the extent", x.Name)
	}
}

// checkDivisions reads the rows in pieces: singly, in halves, and in random
// ranges from several goroutines.
func checkDivisions(t testing.TB, x *formats.Tensor, all []byte) {
	t.Helper()
	n, rowBytes := x.NumRows(), int(x.RowBytes())
	check := func(lo, hi int) {
		got, err := read(x, lo, hi)
		if err != nil {
			t.Errorf("%q: rows [%d, %d) of %d: %v", x.Name, lo, hi, n, err)
		} else if !bytes.Equal(got, all[lo*rowBytes:hi*rowBytes]) {
			t.Errorf("%q: rows [%d, %d) of %d differ from the same rows read with all others", x.Name, lo, hi, n)
		}
	}
	check(0, 0)
	check(n, n)
	check(0, n/2)
	check(n/2, n)
	for i := range min(n, 64) {
		check(i, i+1)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for range 16 {
				lo := rng.IntN(n + 1)
				check(lo, lo+rng.IntN(n-lo+1))
			}
		})
	}
	wg.Wait()
}

func checkFloats(t testing.TB, x *formats.Tensor, all []byte) {
	t.Helper()
	n, cols := x.NumRows(), x.NumCols()
	got := make([]float32, n*cols)
	err := x.ReadFloats(context.Background(), got, 0, n)
	decode := formats.Decoder(x.DType)
	if decode == nil {
		if !errors.Is(err, formats.ErrUnsupported) {
			t.Errorf("%q: ReadFloats of %v returns %v", x.Name, x.DType, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%q: ReadFloats: %v", x.Name, err)
		return
	}
	want := make([]float32, n*cols)
	decode(want, all)
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("%q: ReadFloats gives %v as element %d, and the bytes are %v", x.Name, got[i], i, want[i])
			return
		}
	}
}
