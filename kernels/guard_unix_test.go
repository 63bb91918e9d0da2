//go:build unix

package kernels

import (
	"syscall"
	"testing"
	"unsafe"
)

// atPageEnd returns n bytes of which the last is the last before a page that must
// not be touched: reading or writing past the slice, even by a byte, crashes the
// test.
func atPageEnd(t testing.TB, n int) []byte {
	t.Helper()
	m := guarded(t, n)
	return m[len(m)-n:]
}

// atPageStart returns n bytes of which the first is the first after such a page.
func atPageStart(t testing.TB, n int) []byte {
	t.Helper()
	return guarded(t, n)[:n:n]
}

// guarded returns whole pages, n bytes at least, between two forbidden ones.
func guarded(t testing.TB, n int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	size := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return m[page : page+size]
}

// floatsOf returns the floats whose memory is b, which must be aligned for them.
func floatsOf(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
