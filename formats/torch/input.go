package torch

import (
	"fmt"

	"github.com/loratool/loratool/formats"
)

// An input is a stretch of a file that holds a pickle, read in order. Its
// methods end the run of the machine that reads it, by panic(*formats.Error),
// when the stretch ends early.
type input struct {
	file   *formats.File
	record string // name of the archive's record that it is, or ""
	pos    int64  // of the next byte, in the file
	end    int64  // where the stretch ends

	buf    []byte // bytes of the file from pos on
	buffer [16 << 10]byte
}

// error returns an error about the byte at the given offset.
func (in *input) error(at int64, kind error, format string, args ...any) *formats.Error {
	where := "pickle: "
	if in.record != "" {
		where = "record " + in.record + ": pickle: "
	}
	return formats.At(in.file.Path, at, formats.Reasonf(kind, "%s", where+fmt.Sprintf(format, args...)))
}

// fail ends the run with such an error.
func (in *input) fail(at int64, kind error, format string, args ...any) {
	panic(in.error(at, kind, format, args...))
}

// take returns the next n bytes. They are valid until the next call.
func (in *input) take(n int64) []byte {
	if n < 0 || n > in.end-in.pos {
		kind := formats.ErrFormat
		if in.end == in.file.Size {
			kind = formats.ErrTruncated
		}
		in.fail(in.pos, kind, "it has %d bytes left and needs %d here", in.end-in.pos, uint64(n))
	}
	if n > int64(len(in.buf)) {
		in.fill(n)
	}
	b := in.buf[:n]
	in.buf = in.buf[n:]
	in.pos += n
	return b
}

// fill makes in.buf hold n bytes at least, which the stretch is known to have.
func (in *input) fill(n int64) {
	buf := in.buffer[:min(int64(len(in.buffer)), in.end-in.pos)]
	if n > int64(len(buf)) {
		buf = make([]byte, n)
	}
	if err := in.file.ReadFull(buf, in.pos); err != nil {
		panic(err)
	}
	in.buf = buf
}

// byte returns the next byte.
func (in *input) byte() byte { return in.take(1)[0] }

// line returns the next bytes up to a line feed, which it skips.
func (in *input) line() string {
	var s []byte
	for {
		c := in.byte()
		if c == '\n' {
			return string(s)
		}
		if len(s) == maxName {
			in.fail(in.pos-1, formats.ErrFormat, "a name is longer than %d bytes", maxName)
		}
		s = append(s, c)
	}
}
