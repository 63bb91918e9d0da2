package formats

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// A Model is an open model: tensors, the metadata of its file, and the other
// files of its folder. It is safe for concurrent use. It is a value to build
// others from: transformations return new models that share tensors with the
// old ones, and leave the old ones alone.
type Model struct {
	Path     string    // as the caller named it
	Format   string    // "safetensors", "gguf", "torch"
	Stem     string    // what its weight files are called, without shard number and extension: "model"
	Tensors  []*Tensor // in the order that reads the storage sequentially
	Metadata Metadata  // of the weights' own file; of the first one if there are several
	Files    []Asset   // config.json, tokenizer and so on, by name
	Inputs   []*File   // every open file that the tensors come from

	once   sync.Once
	byName map[string]*Tensor
}

// An Asset is a file that accompanies the weights: config.json, a tokenizer.
type Asset struct {
	Name string // relative to the model's folder, with slashes
	Path string // where it lies, if Data is nil
	Data []byte // its contents, if they are not simply those of Path
}

// Read returns the contents.
func (a *Asset) Read() ([]byte, error) {
	if a.Data != nil {
		return a.Data, nil
	}
	return os.ReadFile(a.Path)
}

// Tensor returns the tensor of that name, or nil.
func (m *Model) Tensor(name string) *Tensor {
	m.once.Do(func() {
		m.byName = make(map[string]*Tensor, len(m.Tensors))
		for _, t := range m.Tensors {
			m.byName[t.Name] = t
		}
	})
	return m.byName[name]
}

// Asset returns the file of that name, or nil.
func (m *Model) Asset(name string) *Asset {
	for i := range m.Files {
		if m.Files[i].Name == name {
			return &m.Files[i]
		}
	}
	return nil
}

// NumParameters returns the number of elements of all tensors.
func (m *Model) NumParameters() int64 {
	var n int64
	for _, t := range m.Tensors {
		n += int64(t.NumElements())
	}
	return n
}

// NumBytes returns the size of all tensors' data.
func (m *Model) NumBytes() int64 {
	var n int64
	for _, t := range m.Tensors {
		n += t.NumBytes()
	}
	return n
}

// Close closes the input files. The tensors are invalid afterwards, also in
// models made from this one.
func (m *Model) Close() error {
	var errs []error
	for _, f := range m.Inputs {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Join returns one model of the tensors of several: the shards of a checkpoint.
// Metadata is that of the first. It returns an error wrapping [ErrFormat] if two
// have a tensor of the same name.
func Join(path string, shards []*Model) (*Model, error) {
	m := &Model{Path: path, Format: shards[0].Format, Stem: shards[0].Stem, Metadata: shards[0].Metadata, Files: shards[0].Files}
	where := map[string]*Model{}
	for _, s := range shards {
		for _, t := range s.Tensors {
			if other := where[t.Name]; other != nil {
				return nil, &Error{Path: s.Path, Tensor: t.Name, Err: Reasonf(ErrFormat,
					"also in %s", filepath.Base(other.Path))}
			}
			where[t.Name] = s
		}
		m.Tensors = append(m.Tensors, s.Tensors...)
		m.Inputs = append(m.Inputs, s.Inputs...)
	}
	return m, nil
}

// A File is an input file that is open for reading.
type File struct {
	io.ReaderAt
	Path string // as the caller named it
	Size int64

	file *os.File    // nil if it is not a file of the system
	info os.FileInfo // when it was opened
}

// NewFile returns the first size bytes of r as a file with the given name,
// which only messages use.
func NewFile(r io.ReaderAt, size int64, name string) *File {
	return &File{ReaderAt: r, Path: name, Size: size}
}

// OpenFile opens a regular file for reading.
func OpenFile(path string) (*File, error) {
	// Opening a named pipe would block without O_NONBLOCK, and a device has no size.
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, fileError(path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = Reasonf(ErrFormat, "not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, fileError(path, err)
	}
	return &File{ReaderAt: f, Path: path, Size: info.Size(), file: f, info: info}, nil
}

// ReadFull fills b with the bytes from the given offset on. The error names the
// byte, and wraps [ErrTruncated] if the file has become shorter than it was.
func (f *File) ReadFull(b []byte, offset int64) error {
	n, err := f.ReadAt(b, offset)
	switch {
	case n == len(b): // some readers say EOF along with the last bytes
		return nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = Reasonf(ErrTruncated, "the file ended while it was read; it was %d bytes long when opened", f.Size)
	}
	return At(f.Path, offset+int64(n), err)
}

// Close closes the file.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// OS returns the file of the system, or nil if f is none.
func (f *File) OS() *os.File { return f.file }

// Unchanged returns an error if the file is not what it was when it was opened.
// A writer asks before it commits, so that a file that somebody rewrites
// meanwhile never gives a mixed output.
func (f *File) Unchanged() error {
	if f.file == nil {
		return nil
	}
	now, err := f.file.Stat()
	if err != nil {
		return fileError(f.Path, err)
	}
	if now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) {
		return &Error{Path: f.Path, Err: errors.New("the file changed while it was read")}
	}
	return nil
}

// fileError strips what os repeats ("open PATH: ") from an error about path.
func fileError(path string, err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		err = p.Err
	}
	return &Error{Path: path, Err: err}
}

// String names the model as messages show it.
func (m *Model) String() string { return fmt.Sprintf("%s (%s)", m.Path, m.Format) }
