package transform

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/kernels"
)

// A spool is a temporary file for results that must exist before the output can
// be planned. Space in it is given out from the beginning and never taken back.
type spool struct {
	file *os.File
	kept bool // the name could not be removed while the file is open

	mu   sync.Mutex
	size int64
}

// newSpool makes a spool in a folder. On most systems it has no name, so that
// nothing is left behind however the process ends.
func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, ".loratool-spool-*")
	if err != nil {
		return nil, err
	}
	return &spool{file: f, kept: os.Remove(f.Name()) != nil}, nil
}

func (s *spool) Close() error {
	err := s.file.Close()
	if s.kept {
		os.Remove(s.file.Name())
	}
	return err
}

// reserve returns the offset of n new bytes, which are zero.
func (s *spool) reserve(n int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.size
	s.size += (n + 63) &^ 63
	if err := s.file.Truncate(s.size); err != nil {
		return 0, fmt.Errorf("temporary file: %w", err)
	}
	return at, nil
}

// tensor returns bytes of the spool, which have been written by now, as a tensor.
func (s *spool) tensor(info formats.Info, offset int64) *formats.Tensor {
	return formats.NewExtent(info, formats.NewFile(s.file, offset+info.NumBytes(), "temporary file"), offset)
}

// A spooledMatrix is a matrix of a number format in a spool: the rows it is given
// are rounded on the way. The stored matrix may have more columns than the rows
// have, zeros, or be the transpose, or be both.
type spooledMatrix struct {
	spool      *spool
	offset     int64
	dtype      formats.DType
	rows, cols int // of what is written and read
	width      int // stored instead of cols
	transposed bool
}

// WriteFloats rounds and stores the rows [lo, hi), and replaces x by the rounded
// numbers.
func (m *spooledMatrix) WriteFloats(x []float32, lo, hi int) error {
	raw := formats.BorrowBytes(len(x) * m.dtype.BlockBytes())
	defer formats.ReturnBytes(raw)
	formats.Encoder(m.dtype)(raw, x)
	formats.Decoder(m.dtype)(x, raw)
	if i := kernels.FirstNonFinite(x); i >= 0 {
		return formats.Reasonf(formats.ErrUnsupported, "a factor has numbers that are too large for %v", m.dtype)
	}
	y := x
	n := hi - lo
	if m.transposed {
		y = transpose(x, n, m.cols)
		defer formats.ReturnFloats(y)
	} else if m.width != m.cols {
		y = formats.BorrowFloats(n * m.width)
		defer formats.ReturnFloats(y)
		clear(y)
		for i := range n {
			copy(y[i*m.width:], x[i*m.cols:][:m.cols])
		}
	}
	if len(y) != len(x) {
		raw = make([]byte, len(y)*m.dtype.BlockBytes())
	}
	formats.Encoder(m.dtype)(raw, y)
	if !m.transposed {
		return m.writeAt(raw, int64(lo)*int64(m.width))
	}
	size := n * m.dtype.BlockBytes()
	for j := range m.cols {
		if err := m.writeAt(raw[j*size:][:size], int64(j)*int64(m.rows)+int64(lo)); err != nil {
			return err
		}
	}
	return nil
}

func (m *spooledMatrix) writeAt(raw []byte, element int64) error {
	if _, err := m.spool.file.WriteAt(raw, m.offset+element*int64(m.dtype.BlockBytes())); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	return nil
}

// ReadFloats fills dst with the rows [lo, hi).
func (m *spooledMatrix) ReadFloats(_ context.Context, dst []float32, lo, hi int) error {
	size := m.dtype.BlockBytes()
	n := hi - lo
	if !m.transposed {
		raw := formats.BorrowBytes(n * m.width * size)
		defer formats.ReturnBytes(raw)
		if err := m.readAt(raw, int64(lo)*int64(m.width)); err != nil {
			return err
		}
		for i := range n {
			formats.Decoder(m.dtype)(dst[i*m.cols:][:m.cols], raw[i*m.width*size:][:m.cols*size])
		}
		return nil
	}
	raw := formats.BorrowBytes(n * size)
	defer formats.ReturnBytes(raw)
	column := formats.BorrowFloats(n)
	defer formats.ReturnFloats(column)
	for j := range m.cols {
		if err := m.readAt(raw, int64(j)*int64(m.rows)+int64(lo)); err != nil {
			return err
		}
		formats.Decoder(m.dtype)(column, raw)
		for i, v := range column {
			dst[i*m.cols+j] = v
		}
	}
	return nil
}

func (m *spooledMatrix) readAt(raw []byte, element int64) error {
	if _, err := m.spool.file.ReadAt(raw, m.offset+element*int64(m.dtype.BlockBytes())); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	return nil
}

// transpose returns the transpose of x, borrowed.
func transpose(x []float32, rows, cols int) []float32 {
	y := formats.BorrowFloats(len(x))
	for i := range rows {
		for j, v := range x[i*cols:][:cols] {
			y[j*rows+i] = v
		}
	}
	return y
}
