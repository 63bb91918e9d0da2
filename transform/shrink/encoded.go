package shrink

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// encoded are the codes of a matrix and the scales that belong to them, made together of
// so many consecutive elements a piece, so that each weight is read once.
type encoded struct {
	from    weights
	piece   int     // elements
	bytes   []int64 // of a piece, by tensor
	scratch int64   // bytes per element, beside reading it
	encode  encoding
	needs   *pass // that comes first, nil for none
}

// An encoding makes pieces of all tensors of the same elements.
type encoding func(dst [][]byte, x []float32)

// encoded returns the tensors that an encoding makes of a matrix.
func (w weights) encoded(piece int, scratch int64, encode encoding, parts ...formats.Part) []*formats.Tensor {
	return (&encoded{from: w, piece: piece, scratch: scratch, encode: encode}).tensors(parts...)
}

func (e *encoded) tensors(parts ...formats.Part) []*formats.Tensor {
	for _, p := range parts {
		e.bytes = append(e.bytes, p.PieceBytes)
	}
	return formats.NewJoint(e, (e.from.NumElements()+e.piece-1)/e.piece, parts...).Tensors
}

// part describes a tensor, and how much of it a piece is.
func part(name string, d formats.DType, pieceBytes int, shape ...int) formats.Part {
	return formats.Part{Info: formats.Info{Name: name, DType: d, Shape: shape}, PieceBytes: int64(pieceBytes)}
}

func (e *encoded) Scratch(n int) int64 {
	elements := min(n*e.piece, e.from.chunk(e.piece))
	scratch := e.from.flatScratch(elements) + e.scratch*int64(elements)
	if e.needs != nil {
		scratch = max(scratch, e.needs.scratch())
	}
	return scratch
}

func (e *encoded) ReadPieces(ctx context.Context, dst [][]byte, lo, hi int) error {
	if e.needs != nil {
		if err := e.needs.find(ctx); err != nil {
			return err
		}
	}
	from, to := lo*e.piece, min(hi*e.piece, e.from.NumElements())
	now := make([][]byte, len(dst))
	return e.from.eachChunk(ctx, from, to, e.piece, func(at int, x []float32) error {
		first, last := int64((at-from)/e.piece), int64((at-from+len(x)+e.piece-1)/e.piece)
		for i, size := range e.bytes {
			now[i] = dst[i][first*size : min(last*size, int64(len(dst[i])))]
		}
		e.encode(now, x)
		return nil
	})
}

// tensor returns a computed tensor.
func tensor(name string, d formats.DType, rows formats.Rows, shape ...int) *formats.Tensor {
	return &formats.Tensor{Info: formats.Info{Name: name, DType: d, Shape: shape}, Rows: rows}
}

// fixed are the rows of a small tensor whose bytes are known.
type fixed struct {
	rowBytes int
	data     []byte
}

// constant returns a tensor of known bytes.
func constant(name string, d formats.DType, data []byte, shape ...int) *formats.Tensor {
	t := tensor(name, d, nil, shape...)
	t.Rows = &fixed{int(t.RowBytes()), data}
	return t
}

func (f *fixed) Scratch(int) int64 { return 0 }

func (f *fixed) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	copy(dst, f.data[lo*f.rowBytes:hi*f.rowBytes])
	return nil
}

// found are the rows of a small tensor that says what a pass found.
type found struct {
	*pass
	fill func(dst []byte)
}

func (f *found) Scratch(int) int64 { return f.scratch() }

func (f *found) ReadRows(ctx context.Context, dst []byte, _, _ int) error {
	if err := f.find(ctx); err != nil {
		return err
	}
	f.fill(dst)
	return nil
}
