package formats_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/loratool/loratool/formats"
)

func TestEncoded(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	x := make([]float32, 6*64)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	w := &formats.Tensor{Info: formats.Info{Name: "w", DType: formats.F32, Shape: []int{6, 64}}, Rows: numbers(x)}
	for _, d := range []formats.DType{formats.F16, formats.BF16, formats.Q8_0, formats.Q4_0} {
		e := formats.Encoded(w, d)
		want := make([]byte, e.NumBytes())
		if encode := formats.Encoder(d); encode != nil {
			encode(want, x)
		} else {
			formats.Quantizer(d)(want, x, 64, nil)
		}
		got := make([]byte, len(want))
		cut := 2 * e.RowBytes()
		for _, part := range []struct {
			dst    []byte
			lo, hi int
		}{{got[:cut], 0, 2}, {got[cut:], 2, 6}} {
			if err := e.ReadRows(context.Background(), part.dst, part.lo, part.hi); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%v: the rows are not the encoder's", d)
		}
	}
	if formats.Encoded(w, formats.F32) != w {
		t.Error("a tensor in its own format is another one")
	}
}

// numbers are the rows of a tensor of 64 columns in F32.
type numbers []float32

func (n numbers) Scratch(int) int64 { return 0 }

func (n numbers) ReadRows(_ context.Context, dst []byte, lo, hi int) error {
	formats.Encoder(formats.F32)(dst, n[64*lo:64*hi])
	return nil
}
