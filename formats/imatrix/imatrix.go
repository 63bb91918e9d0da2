// Package imatrix reads importance matrices, which say of each input of each
// matrix of a model how large it is on average: the mean of its squares over some
// text, as llama-imatrix measures it. A quantizer that knows them errs where it
// matters least.
//
// Both formats are read, GGUF and the older .dat. Values stay in the file until
// they are needed.
package imatrix

import (
	"context"
	"math"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
)

// A Matrix is an open importance matrix. It is safe for concurrent use.
type Matrix struct {
	Path     string
	Datasets []string // what it was measured with
	Chunks   int      // pieces of text

	file    *formats.File
	entries map[string]*Entry
}

// An Entry has the importance of the inputs of one tensor; of each expert, if the
// tensor holds several.
type Entry struct {
	path   string
	sums   *formats.Tensor // of squares, float32, expert by expert
	counts []float32       // what to divide by, one for each expert or one for all; 0 if the expert was never used
}

// Open opens an importance matrix of either format.
func Open(path string) (*Matrix, error) {
	f, err := formats.OpenFile(path)
	if err != nil {
		return nil, err
	}
	m, err := read(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

func read(f *formats.File) (*Matrix, error) {
	head := make([]byte, min(f.Size, 4))
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, formats.At(f.Path, 0, err)
	}
	if string(head) == "GGUF" {
		return readGGUF(f)
	}
	return readLegacy(f)
}

// The tensors of a GGUF importance matrix, for each tensor NAME of the model:
// NAME.in_sum2 of shape [experts, columns] and NAME.counts of shape [experts, 1].
const (
	sumsSuffix   = ".in_sum2"
	countsSuffix = ".counts"
)

func readGGUF(f *formats.File) (*Matrix, error) {
	model, err := gguf.OpenShard(f)
	if err != nil {
		return nil, err
	}
	if t, _ := model.Metadata.Get("general.type").(string); t != "imatrix" {
		return nil, &formats.Error{Path: f.Path, Err: formats.Reasonf(formats.ErrMismatch,
			"not an importance matrix: general.type is %q", t)}
	}
	m := &Matrix{Path: f.Path, file: f, entries: map[string]*Entry{}}
	m.Datasets, _ = model.Metadata.Get("imatrix.datasets").([]string)
	chunks, _ := model.Metadata.Get("imatrix.chunk_count").(uint32)
	m.Chunks = int(chunks)
	for _, sums := range model.Tensors {
		name, ok := strings.CutSuffix(sums.Name, sumsSuffix)
		if !ok {
			continue
		}
		counts := model.Tensor(name + countsSuffix)
		fail := func(format string, args ...any) error {
			return &formats.Error{Path: f.Path, Tensor: sums.Name, Err: formats.Reasonf(formats.ErrFormat, format, args...)}
		}
		switch {
		case counts == nil:
			return nil, fail("%s is missing", name+countsSuffix)
		case sums.DType != formats.F32 || counts.DType != formats.F32:
			return nil, fail("it and %s must be F32", counts.Name)
		case sums.NumElements() == 0:
			return nil, fail("it has no values")
		case counts.NumElements() != sums.NumRows():
			return nil, fail("it has %d rows, but %s has %d elements", sums.NumRows(), counts.Name, counts.NumElements())
		}
		e := &Entry{f.Path, sums, make([]float32, counts.NumElements())}
		if err := counts.ReadFloats(context.Background(), e.counts, 0, counts.NumRows()); err != nil {
			return nil, err
		}
		for i, c := range e.counts {
			if !(c >= 0) || c > math.MaxFloat32 {
				return nil, fail("element %d of %s is %v", i, counts.Name, c)
			}
		}
		m.entries[name] = e
	}
	return m, nil
}

// File returns the open file.
func (m *Matrix) File() *formats.File { return m.file }

// Close closes the file.
func (m *Matrix) Close() error { return m.file.Close() }

// Len returns for how many tensors there is an entry.
func (m *Matrix) Len() int { return len(m.entries) }

// Entry returns the entry of a tensor, or nil.
func (m *Matrix) Entry(name string) *Entry { return m.entries[name] }

// Filter returns a matrix of the entries whose tensors keep is true for. It
// shares the file.
func (m *Matrix) Filter(keep func(name string) bool) *Matrix {
	out := *m
	out.entries = map[string]*Entry{}
	for name, e := range m.entries {
		if keep(name) {
			out.entries[name] = e
		}
	}
	return &out
}

// Fits returns an error wrapping [formats.ErrMismatch] unless the entry has values
// for experts times cols inputs.
func (e *Entry) Fits(experts, cols int) error {
	if e.sums.NumElements() == experts*cols && (len(e.counts) == 1 || len(e.counts) == experts) {
		return nil
	}
	return formats.Reasonf(formats.ErrMismatch, "the importance matrix has %d values for it, but it has %d columns of %d experts",
		e.sums.NumElements(), cols, experts)
}

// Read fills dst with the importance of the inputs of an expert, 0 where there is
// one only:
//
//	dst[i] = sum[i] / count, or 1 if count is 0
//
// rounded once. The entry must fit, see [Entry.Fits]. It returns an error that
// names the element if one is negative or not finite, and one wrapping
// [formats.ErrMismatch] if all are zero: by them every weight would be as good as
// any other, and quantizers make zeros of them.
func (e *Entry) Read(ctx context.Context, dst []float32, expert int) error {
	cols := e.sums.NumCols() // of the storage, len(dst) or 1
	if err := e.sums.ReadFloats(ctx, dst, expert*len(dst)/cols, (expert+1)*len(dst)/cols); err != nil {
		return err
	}
	count := e.counts[min(expert, len(e.counts)-1)]
	zero := true
	for i, sum := range dst {
		if !(sum >= 0) || sum > math.MaxFloat32 {
			return e.error("element %d is %v", expert*len(dst)+i, sum)
		}
		zero = zero && sum == 0
		if count == 0 {
			dst[i] = 1
		} else {
			dst[i] = sum / count
		}
	}
	if zero && count != 0 {
		return e.error("all its %d values for expert %d are zero, which tells nothing; leave the tensor out of the matrix", len(dst), expert)
	}
	return nil
}

// Scratch returns the memory in bytes that [Entry.Read] of n values takes.
func (e *Entry) Scratch(n int) int64 { return 4 * int64(n) }

func (e *Entry) error(format string, args ...any) error {
	return &formats.Error{Path: e.path, Tensor: e.sums.Name, Err: formats.Reasonf(formats.ErrMismatch, format, args...)}
}
