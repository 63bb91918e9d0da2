package gguf

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/loratool/loratool/formats"
)

// maxHeader is how far into a file its header may reach: enough for every
// vocabulary, and a bound on what a hostile file can make us read.
const maxHeader = 1 << 30

// A scanner reads a header from front to back. Every length is compared with the
// bytes that are left before anything is read or allocated by it. The first
// error stays, and everything that is read after it is zero.
type scanner struct {
	file  *formats.File
	order binary.ByteOrder
	v1    bool  // lengths have 32 bits
	end   int64 // no header byte lies here or beyond
	pos   int64 // of the next byte
	buf   []byte
	chunk []byte // what buf is a part of
	err   error
}

// scanBuffer is how much is read at once.
const scanBuffer = 64 << 10

func newScanner(f *formats.File) *scanner {
	return &scanner{file: f, order: binary.LittleEndian, end: min(f.Size, maxHeader), chunk: make([]byte, min(f.Size, scanBuffer))}
}

// fail records an error about the byte at the given offset.
func (s *scanner) fail(offset int64, kind error, format string, args ...any) {
	if s.err == nil {
		s.err = formats.At(s.file.Path, offset, formats.Reasonf(kind, format, args...))
	}
}

// left returns how many bytes the header can still have.
func (s *scanner) left() int64 { return s.end - s.pos }

// need reports whether n more bytes can be read, and records an error if not.
func (s *scanner) need(n int64) bool {
	switch {
	case s.err != nil:
		return false
	case n <= s.left():
		return true
	case s.end < s.file.Size:
		s.fail(s.pos, formats.ErrFormat, "the header is larger than %d bytes", int64(maxHeader))
	default:
		s.fail(s.pos, formats.ErrTruncated, "the file ends within its header, which needs %d bytes more here and has %d", n, s.left())
	}
	return false
}

// fill reads the next n bytes into dst.
func (s *scanner) fill(dst []byte) {
	if !s.need(int64(len(dst))) {
		return
	}
	n := copy(dst, s.buf)
	s.buf = s.buf[n:]
	if n < len(dst) {
		s.readAt(dst[n:], s.pos+int64(n))
	}
	s.pos += int64(len(dst))
}

// next returns the next n bytes, no more than chunk has room for; they are valid
// until the next call.
func (s *scanner) next(n int) []byte {
	if !s.need(int64(n)) {
		return make([]byte, n)
	}
	if len(s.buf) < n {
		s.buf = s.chunk[:min(s.left(), int64(len(s.chunk)))]
		if s.readAt(s.buf, s.pos); s.err != nil {
			return make([]byte, n)
		}
	}
	b := s.buf[:n]
	s.buf, s.pos = s.buf[n:], s.pos+int64(n)
	return b
}

func (s *scanner) readAt(dst []byte, offset int64) {
	n, err := s.file.ReadAt(dst, offset)
	switch {
	case n == len(dst):
	case err == nil || err == io.EOF || err == io.ErrUnexpectedEOF:
		s.fail(offset+int64(n), formats.ErrTruncated, "the file ended while it was read; it was %d bytes long when opened", s.file.Size)
	case s.err == nil:
		s.err = formats.At(s.file.Path, offset, err)
	}
}

// size returns a number that has 32 bits in version 1 and 64 bits since.
func (s *scanner) size() uint64 {
	if s.v1 {
		return uint64(s.u32())
	}
	return s.u64()
}

// count returns the number of things that follow, each of which takes minSize
// bytes or more.
func (s *scanner) count(minSize int64, what string) int64 {
	at := s.pos
	n := s.size()
	if s.err != nil {
		return 0
	}
	if n > uint64(s.left()/minSize) {
		if n > math.MaxInt64/64 {
			s.fail(at, formats.ErrFormat, "%d %s is no sensible number", n, what)
		} else {
			s.need(int64(n) * minSize)
		}
		return 0
	}
	return int64(n)
}

// text returns a string: its length in bytes and the bytes. what says what they
// are, for messages.
func (s *scanner) text(what string) string {
	n := s.count(1, what)
	if s.err != nil {
		return ""
	}
	if n <= int64(len(s.chunk)) {
		return s.trim(s.next(int(n)))
	}
	// What the file has can still be more than anybody means to have in a header.
	b := make([]byte, 0, min(n, scanBuffer))
	for n > 0 && s.err == nil {
		step := min(n, max(scanBuffer, int64(len(b))))
		b = append(b, make([]byte, step)...)
		s.fill(b[int64(len(b))-step:])
		n -= step
	}
	return s.trim(b)
}

// trim returns b as a string. Version 1 was written by programs that counted the
// zero byte that C puts after strings.
func (s *scanner) trim(b []byte) string {
	if s.v1 && len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return string(b)
}
