package formatstest

import (
	"errors"
	"io"
	"sync/atomic"
)

// ErrFault is the error of a [Faulty] file.
var ErrFault = errors.New("input/output error")

// Faulty reads from another reader until a call that it was told of, from which
// on every read fails; a negative number means never. Reads that reach the end
// of the file say io.EOF along with the last bytes, as readers may.
type Faulty struct {
	R    io.ReaderAt
	Size int64
	Fail int64 // number of the first call that fails

	calls atomic.Int64
}

// ReadAt reads, or fails with [ErrFault].
func (f *Faulty) ReadAt(p []byte, off int64) (int, error) {
	if call := f.calls.Add(1) - 1; f.Fail >= 0 && call >= f.Fail {
		return 0, ErrFault
	}
	n, err := f.R.ReadAt(p, off)
	if err == nil && off+int64(n) == f.Size {
		err = io.EOF
	}
	return n, err
}

// Calls returns how often it was read from.
func (f *Faulty) Calls() int64 { return f.calls.Load() }
