package formats

import (
	"context"
	"fmt"
)

// Pieces is where the data of several tensors comes from that are computed together,
// because the same numbers have to be read for all of them: the codes of a matrix and
// their scales.
type Pieces interface {
	// ReadPieces fills dst[i] with the pieces [lo, hi) of the i-th tensor. Like
	// [Rows], it gives the same bytes however it is asked, and may be called from
	// several goroutines at once.
	ReadPieces(ctx context.Context, dst [][]byte, lo, hi int) error

	// Scratch returns an upper bound of the memory in bytes that ReadPieces of n
	// pieces takes beside dst.
	Scratch(n int) int64
}

// A Joint is several tensors that are computed together. Each can be read by itself like
// any other, but all of them are computed then; who needs all reads pieces.
type Joint struct {
	Tensors   []*Tensor
	NumPieces int

	pieces Pieces
	bytes  []int64 // of a piece, by tensor
}

// A Part describes a tensor of a [Joint]: piece p of it is the bytes from p·PieceBytes
// on. The last piece may be shorter.
type Part struct {
	Info
	PieceBytes int64
}

// NewJoint returns tensors that are computed together, in n pieces. It panics if a tensor
// is not of n pieces.
func NewJoint(p Pieces, n int, parts ...Part) *Joint {
	j := &Joint{NumPieces: n, pieces: p}
	for i, x := range parts {
		if x.PieceBytes <= 0 || (x.NumBytes()+x.PieceBytes-1)/x.PieceBytes != int64(n) {
			panic(fmt.Sprintf("formats: %s, %v, does not consist of %d pieces of %d bytes", x.Name, &x.Info, n, x.PieceBytes))
		}
		j.Tensors = append(j.Tensors, &Tensor{Info: x.Info, Rows: &jointRows{j, i}})
		j.bytes = append(j.bytes, x.PieceBytes)
	}
	return j
}

// Joint returns the tensors that this one is computed together with, and which of them
// it is, or nil.
func (t *Tensor) Joint() (j *Joint, index int) {
	if r, ok := t.Rows.(*jointRows); ok {
		return r.joint, r.index
	}
	return nil, 0
}

// Pieces returns what computes the tensors.
func (j *Joint) Pieces() Pieces { return j.pieces }

// Range returns where the pieces [lo, hi) of the i-th tensor lie in its data.
func (j *Joint) Range(i, lo, hi int) (from, to int64) {
	size := j.Tensors[i].NumBytes()
	return min(int64(lo)*j.bytes[i], size), min(int64(hi)*j.bytes[i], size)
}

// NumBytes returns the size of the pieces [lo, hi) of all tensors.
func (j *Joint) NumBytes(lo, hi int) (n int64) {
	for i := range j.Tensors {
		from, to := j.Range(i, lo, hi)
		n += to - from
	}
	return n
}

// Read fills buf, of NumBytes(lo, hi) bytes, with the pieces [lo, hi), and returns the
// part of it that is of the i-th tensor as dst[i].
func (j *Joint) Read(ctx context.Context, buf []byte, lo, hi int) (dst [][]byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i := range j.Tensors {
		from, to := j.Range(i, lo, hi)
		dst = append(dst, buf[:to-from:to-from])
		buf = buf[to-from:]
	}
	return dst, j.pieces.ReadPieces(ctx, dst, lo, hi)
}

// Scratch returns an upper bound of the memory in bytes that Read of n pieces takes
// beside its buffer.
func (j *Joint) Scratch(n int) int64 { return j.pieces.Scratch(n) }

// ReadAt fills dst with the bytes of the i-th tensor from the given one on.
func (j *Joint) ReadAt(ctx context.Context, i int, dst []byte, offset int64) error {
	size, step := j.bytes[i], int64(j.step())
	for len(dst) > 0 {
		lo := offset / size
		hi := min((offset+int64(len(dst))+size-1)/size, lo+step)
		buf := BorrowBytes(int(j.NumBytes(int(lo), int(hi))))
		parts, err := j.Read(ctx, buf, int(lo), int(hi))
		if err == nil {
			n := copy(dst, parts[i][offset-lo*size:])
			dst, offset = dst[n:], offset+int64(n)
		}
		ReturnBytes(buf)
		if err != nil {
			return err
		}
	}
	return nil
}

// jointBlock is how much ReadAt computes at a time, unless a piece is more.
const jointBlock = 512 << 10

func (j *Joint) step() int { return int(max(1, jointBlock/j.NumBytes(0, 1))) }

// jointRows are the rows of one tensor of a joint.
type jointRows struct {
	joint *Joint
	index int
}

func (r *jointRows) ReadRows(ctx context.Context, dst []byte, lo, _ int) error {
	return r.joint.ReadAt(ctx, r.index, dst, int64(lo)*r.joint.Tensors[r.index].RowBytes())
}

func (r *jointRows) Scratch(n int) int64 {
	j := r.joint
	pieces := min(j.step(), int(int64(n)*j.Tensors[r.index].RowBytes()/j.bytes[r.index])+2, j.NumPieces)
	return j.NumBytes(0, pieces) + j.Scratch(pieces)
}
