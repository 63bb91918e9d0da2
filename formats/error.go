package formats

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat reports bytes that are not a valid file of their format.
	ErrFormat = errors.New("invalid file")
	// ErrTruncated reports a file that is shorter than its own header says.
	ErrTruncated = errors.New("truncated file")
	// ErrUnsupported reports a valid file that needs something we can't do.
	ErrUnsupported = errors.New("unsupported")
	// ErrMismatch reports inputs that don't belong together.
	ErrMismatch = errors.New("inputs do not fit together")
	// ErrOutput reports an output that must not be written: it exists, or it is
	// one of the inputs.
	ErrOutput = errors.New("refusing to write")
)

// An Error says where something is wrong, and where a person can act, how.
type Error struct {
	Path   string // file as the caller named it; empty if it is about no file
	Tensor string // empty if it is about the file as a whole
	Offset int64  // of the byte in the file that is meant, plus 1; 0 if none is
	Err    error  // wraps one of the Err variables, or an error of the system
	Hint   string // what to do about it; not part of the message
}

// Error returns "path: tensor "name": at byte N: reason", without what is empty.
func (e *Error) Error() string {
	s := ""
	if e.Path != "" {
		s = e.Path + ": "
	}
	if e.Tensor != "" {
		s += fmt.Sprintf("tensor %q: ", e.Tensor)
	}
	if e.Offset > 0 {
		s += fmt.Sprintf("at byte %d: ", e.Offset-1)
	}
	return s + e.Err.Error()
}

// At returns an error about the byte at the given offset of a file.
func At(path string, offset int64, err error) *Error {
	return &Error{Path: path, Offset: offset + 1, Err: err}
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// reason is an error whose text stands alone and which is a kind all the same,
// so that messages need not begin with the name of their kind.
type reason struct {
	kind error
	text string
}

func (r *reason) Error() string { return r.text }
func (r *reason) Unwrap() error { return r.kind }

// Reasonf returns an error with the given text that wraps kind, one of the Err
// variables.
func Reasonf(kind error, format string, args ...any) error {
	return &reason{kind, fmt.Sprintf(format, args...)}
}
