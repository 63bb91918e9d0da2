package formats

import (
	"context"
	"io"
	"slices"
)

// A Format is a kind of model file that can be opened.
type Format struct {
	Name string

	// Sniff reports whether a file that begins with head, its first 16 bytes or
	// fewer, is of this format. It need not be sure: Open is.
	Sniff func(head []byte) bool

	// Open reads the headers of f and returns the model, which then owns f and
	// closes it. It does not close f if it returns an error.
	Open func(f *File) (*Model, error)

	// Verify reads the whole of f and checks what Open leaves unread, such as
	// checksums. It is nil if the format has nothing of the kind.
	Verify func(ctx context.Context, f *File) error
}

var known []Format

// Register makes a format known to [Open]. The subpackages do so themselves.
func Register(f Format) { known = append(known, f) }

// Open opens a single model file, whatever its format. A file that is none is
// an error that says what it seems to be instead: a git-lfs pointer, an HTML
// page, half of a download.
func Open(path string) (*Model, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	m, err := OpenReader(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

// OpenReader is [Open] for a file that is open already. The model owns f, unless
// OpenReader returns an error.
func OpenReader(f *File) (*Model, error) {
	head := make([]byte, min(f.Size, 512))
	if n, err := f.ReadAt(head, 0); n < len(head) && err != nil && err != io.EOF {
		return nil, fileError(f.Path, err)
	}
	if err := recognize(f.Path, head); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known, func(k Format) bool { return k.Sniff(head[:min(len(head), 16)]) })
	if i < 0 {
		return nil, &Error{Path: f.Path, Err: Reasonf(ErrFormat, "not a model file: it begins with % x", head[:min(len(head), 8)])}
	}
	return known[i].Open(f)
}

// Verify reads the files of an open model as a whole and checks what opening them
// leaves unread, such as checksums.
func Verify(ctx context.Context, m *Model) error {
	for _, k := range known {
		if k.Name != m.Format || k.Verify == nil {
			continue
		}
		for _, f := range m.Inputs {
			if err := k.Verify(ctx, f); err != nil {
				return err
			}
		}
	}
	return nil
}
