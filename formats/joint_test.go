package formats_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/loratool/loratool/formats"
)

// numbered gives element e of a source the bytes e and e+1 in one tensor, and each five
// elements their first one in another.
type numbered struct{ n int }

func (s *numbered) Scratch(int) int64 { return 0 }

func (s *numbered) ReadPieces(_ context.Context, dst [][]byte, lo, hi int) error {
	for p := lo; p < hi; p++ {
		for e := 5 * p; e < min(5*p+5, s.n); e++ {
			at := 2 * (e - 5*lo)
			dst[0][at], dst[0][at+1] = byte(e), byte(e+1)
		}
		dst[1][p-lo] = byte(5 * p)
	}
	return nil
}

// TestJoint reads tensors that are computed together, each by itself, in all ways, and
// both at once.
func TestJoint(t *testing.T) {
	const n = 23 // the last of 5 pieces is shorter
	var want [2][]byte
	for e := range n {
		want[0] = append(want[0], byte(e), byte(e+1))
		if e%5 == 0 {
			want[1] = append(want[1], byte(e))
		}
	}
	j := formats.NewJoint(&numbered{n}, 5,
		formats.Part{Info: formats.Info{Name: "a", DType: formats.U8, Shape: []int{n, 2}}, PieceBytes: 10},
		formats.Part{Info: formats.Info{Name: "b", DType: formats.U8, Shape: []int{5}}, PieceBytes: 1})
	for i, x := range j.Tensors {
		if got, index := x.Joint(); got != j || index != i {
			t.Errorf("%s.Joint() = %p, %d, want %p, %d", x.Name, got, index, j, i)
		}
		for lo := range x.NumRows() {
			for hi := lo; hi <= x.NumRows(); hi++ {
				got := make([]byte, int64(hi-lo)*x.RowBytes())
				if err := x.ReadRows(t.Context(), got, lo, hi); err != nil {
					t.Fatal(err)
				}
				if w := want[i][int64(lo)*x.RowBytes():][:len(got)]; !bytes.Equal(got, w) {
					t.Fatalf("rows [%d, %d) of %s are %v, want %v", lo, hi, x.Name, got, w)
				}
			}
		}
	}
	for lo := range 5 {
		for hi := lo + 1; hi <= 5; hi++ {
			got, err := j.Read(t.Context(), make([]byte, j.NumBytes(lo, hi)), lo, hi)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				from, to := j.Range(i, lo, hi)
				if !bytes.Equal(got[i], want[i][from:to]) {
					t.Errorf("pieces [%d, %d) of tensor %d are %v, want %v", lo, hi, i, got[i], want[i][from:to])
				}
			}
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Read(cancelled, make([]byte, j.NumBytes(0, 1)), 0, 1); err == nil {
		t.Error("Read after the context was cancelled returned no error")
	}
}

// TestNewJointPanics says that a tensor must consist of as many pieces as the others.
func TestNewJointPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("NewJoint of a tensor of 4 pieces, not 5, did not panic")
		}
	}()
	formats.NewJoint(&numbered{23}, 5, formats.Part{Info: formats.Info{Name: "a", DType: formats.U8, Shape: []int{20, 2}}, PieceBytes: 10})
}
