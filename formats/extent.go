package formats

import "context"

// An Extent is a tensor's data as it lies in a file.
type Extent struct {
	File     *File
	Offset   int64 // of the first byte
	Size     int64
	RowBytes int64
}

// NewExtent returns the tensor described by info, with its data at the given
// offset of f. The caller has checked that it lies within the file.
func NewExtent(info Info, f *File, offset int64) *Tensor {
	return &Tensor{Info: info, Rows: &Extent{f, offset, info.NumBytes(), info.RowBytes()}}
}

// ReadRows reads the rows from the file.
func (e *Extent) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	return e.ReadAt(dst, int64(lo)*e.RowBytes)
}

// ReadAt fills dst with the tensor's bytes from the given one on.
func (e *Extent) ReadAt(dst []byte, off int64) error {
	return e.File.ReadFull(dst, e.Offset+off)
}

// Scratch returns 0: rows are read in place.
func (e *Extent) Scratch(int) int64 { return 0 }
