package formats

import (
	"fmt"
	"math/bits"
)

// Info describes a tensor without its data.
type Info struct {
	Name  string `json:"name"`
	DType DType  `json:"dtype"`
	Shape []int  `json:"shape"` // outermost dimension first; empty for a scalar
}

// NumElements returns the product of the dimensions, 1 for a scalar. The shape
// of an opened model is known not to overflow.
func (i *Info) NumElements() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// NumBytes returns the size of the tensor's data.
func (i *Info) NumBytes() int64 {
	return int64(i.NumElements()/i.DType.BlockLen()) * int64(i.DType.BlockBytes())
}

// NumRows returns how many rows the data has: the product of all dimensions but
// the last. Scalars and vectors are one row, and so is a tensor whose last
// dimension does not divide into blocks, which only F4 and F6 allow.
func (i *Info) NumRows() int {
	if len(i.Shape) == 0 || i.Shape[len(i.Shape)-1]%i.DType.BlockLen() != 0 {
		return 1
	}
	n := 1
	for _, d := range i.Shape[:len(i.Shape)-1] {
		n *= d
	}
	return n
}

// NumCols returns the number of elements in a row.
func (i *Info) NumCols() int {
	switch {
	case len(i.Shape) == 0:
		return 1
	case i.Shape[len(i.Shape)-1]%i.DType.BlockLen() != 0:
		return i.NumElements()
	}
	return i.Shape[len(i.Shape)-1]
}

// RowBytes returns the size of a row's data.
func (i *Info) RowBytes() int64 {
	return int64(i.NumCols()/i.DType.BlockLen()) * int64(i.DType.BlockBytes())
}

// String returns the description as messages show it: "BF16 [4096 14336]".
func (i *Info) String() string { return fmt.Sprintf("%v %v", i.DType, i.Shape) }

// CheckSize returns the size in bytes of a tensor with an untrusted shape, or
// an error wrapping [ErrFormat] if a dimension is negative, the product
// overflows, or the elements do not fill whole blocks. With dims that pass, all
// methods of Info are safe.
func CheckSize(d DType, shape []int) (int64, error) {
	n := uint64(1)
	zero := false
	for _, s := range shape {
		if s < 0 {
			return 0, Reasonf(ErrFormat, "negative dimension in shape %v", shape)
		}
		if s == 0 {
			zero = true
			continue
		}
		// A zero elsewhere in the shape must not hide an overflow.
		hi, lo := bits.Mul64(n, uint64(s))
		if hi != 0 || lo > 1<<56 {
			return 0, Reasonf(ErrFormat, "shape %v is too large", shape)
		}
		n = lo
	}
	if zero {
		return 0, nil
	}
	if n%uint64(d.BlockLen()) != 0 {
		return 0, Reasonf(ErrFormat, "shape %v of %v does not fill whole blocks of %d elements", shape, d, d.BlockLen())
	}
	hi, lo := bits.Mul64(n/uint64(d.BlockLen()), uint64(d.BlockBytes()))
	if hi != 0 || lo > 1<<62 {
		return 0, Reasonf(ErrFormat, "shape %v of %v is too large", shape, d)
	}
	return int64(lo), nil
}
