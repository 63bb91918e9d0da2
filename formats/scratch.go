package formats

import (
	"math/bits"
	"sync"
)

// Working memory of readers and stages is borrowed and returned, so that a run
// of any length allocates a handful of buffers and the garbage collector has
// nothing to do. Buffers come in size classes, eight to an octave.

type bufferPool[T byte | float32] struct {
	classes [512]sync.Pool
}

var (
	byteBuffers  bufferPool[byte]
	floatBuffers bufferPool[float32]
)

// class returns the index and the size of the smallest class of at least n.
func class(n int) (index, size int) {
	if n <= 64 {
		return 0, 64
	}
	shift := bits.Len(uint(n-1)) - 4 // keeps four leading bits, of which the first is 1
	steps := (n-1)>>shift + 1
	return 8*shift + steps, steps << shift
}

func (p *bufferPool[T]) borrow(n int) []T {
	index, size := class(n)
	if b, ok := p.classes[index].Get().(*[]T); ok {
		return (*b)[:n]
	}
	return make([]T, n, size)
}

func (p *bufferPool[T]) giveBack(b []T) {
	if cap(b) == 0 {
		return
	}
	index, size := class(cap(b))
	if size == cap(b) {
		p.classes[index].Put(&b)
	}
}

// BorrowBytes returns a buffer of n bytes with arbitrary contents, to be given
// back with [ReturnBytes].
func BorrowBytes(n int) []byte { return byteBuffers.borrow(n) }

// ReturnBytes gives back a buffer of [BorrowBytes].
func ReturnBytes(b []byte) { byteBuffers.giveBack(b) }

// BorrowFloats returns a buffer of n numbers with arbitrary contents, to be
// given back with [ReturnFloats].
func BorrowFloats(n int) []float32 { return floatBuffers.borrow(n) }

// ReturnFloats gives back a buffer of [BorrowFloats].
func ReturnFloats(b []float32) { floatBuffers.giveBack(b) }
