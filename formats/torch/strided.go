package torch

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// strided is the data of a tensor whose elements do not lie in the file as
// ReadRows must give them: a transposed or sliced view, an expanded one, or one
// of a big-endian machine.
type strided struct {
	tail   formats.Extent // of the storage, from the tensor's first element on
	size   int64          // of an element in bytes
	swap   int            // bytes in a number whose order is to be turned; 0 if none
	shape  []int
	stride []int64 // in elements
}

// ReadRows gathers the rows. Dimension -2 is the row index within a plane and
// -1 the column; the planes that the rows lie in are done one after another.
func (s *strided) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	if len(dst) == 0 {
		return nil
	}
	w := window{file: &s.tail, buf: formats.BorrowBytes(windowBytes)}
	defer formats.ReturnBytes(w.buf)
	shape, stride := s.shape, s.stride
	for len(shape) < 2 { // a vector is a plane of one row
		shape, stride = append([]int{1}, shape...), append([]int64{0}, stride...)
	}
	n := len(shape)
	height, rowBytes := shape[n-2], int64(shape[n-1])*s.size
	for lo < hi {
		base, plane := int64(0), lo/height
		for i := n - 3; i >= 0; i-- {
			base += int64(plane%shape[i]) * stride[i]
			plane /= shape[i]
		}
		first := lo % height
		rows := min(height-first, hi-lo)
		base += int64(first) * stride[n-2]
		if err := s.gather(&w, dst, base, rows, shape[n-1], stride[n-2], stride[n-1]); err != nil {
			return err
		}
		swapBytes(dst[:int64(rows)*rowBytes], s.swap)
		dst = dst[int64(rows)*rowBytes:]
		lo += rows
	}
	return nil
}

// Scratch returns the size of the window on the file.
func (s *strided) Scratch(int) int64 { return windowBytes }

// gather fills dst with rows×cols elements from element base on. It reads along
// the dimension with the smaller stride, so that what it reads at once lies
// close together.
func (s *strided) gather(w *window, dst []byte, base int64, rows, cols int, rowStride, colStride int64) error {
	outer, inner := rows, cols
	outerStride, innerStride := rowStride, colStride
	outerStep, innerStep := int64(cols)*s.size, s.size // in dst
	if rowStride < colStride {
		outer, inner = inner, outer
		outerStride, innerStride = innerStride, outerStride
		outerStep, innerStep = innerStep, outerStep
	}
	w.ahead = outerStride*s.size <= windowBytes/8
	for i := range int64(outer) {
		err := s.line(w, dst[i*outerStep:], base+i*outerStride, inner, innerStride, innerStep)
		if err != nil {
			return err
		}
	}
	return nil
}

// line copies n elements, stride elements apart in the file from element at on,
// to places step bytes apart in dst.
func (s *strided) line(w *window, dst []byte, at int64, n int, stride, step int64) error {
	for n > 0 {
		// As many elements as fit the window, one at least.
		k := n
		if stride > 0 {
			k = int(min(int64(n), (windowBytes/s.size-1)/stride+1))
		}
		src, err := w.at(at*s.size, (int64(k-1)*stride+1)*s.size)
		if err != nil {
			return err
		}
		spread(dst, step, src, stride*s.size, s.size, k)
		at += int64(k) * stride
		if n -= k; n > 0 {
			dst = dst[int64(k)*step:]
		}
	}
	return nil
}

// spread copies n elements of the given size, stride bytes apart in src, to
// places step bytes apart in dst.
func spread(dst []byte, step int64, src []byte, stride, size int64, n int) {
	switch {
	case step == size && stride == size:
		copy(dst[:int64(n)*size], src)
	case size == 2:
		for i := range int64(n) {
			*(*[2]byte)(dst[i*step:]) = [2]byte(src[i*stride:])
		}
	case size == 4:
		for i := range int64(n) {
			*(*[4]byte)(dst[i*step:]) = [4]byte(src[i*stride:])
		}
	default:
		for i := range int64(n) {
			copy(dst[i*step:i*step+size], src[i*stride:])
		}
	}
}

// swapBytes turns the order of the bytes in each number of the given size.
func swapBytes(b []byte, size int) {
	if size < 2 {
		return
	}
	for ; len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

const windowBytes = 256 << 10

// A window is a part of a file that is held in memory.
type window struct {
	file  *formats.Extent
	ahead bool // read more than was asked for: it will be
	buf   []byte
	start int64
	n     int64 // valid bytes
}

// at returns the n bytes, windowBytes at most, from the given one on.
func (w *window) at(off, n int64) ([]byte, error) {
	if off < w.start || off+n > w.start+w.n {
		read := n
		if w.ahead {
			read = min(windowBytes, w.file.Size-off)
		}
		w.n = 0
		if err := w.file.ReadAt(w.buf[:read], off); err != nil {
			return nil, err
		}
		w.start, w.n = off, read
	}
	return w.buf[off-w.start:][:n], nil
}
