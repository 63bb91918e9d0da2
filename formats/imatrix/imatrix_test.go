package imatrix

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
)

const golden = "../../testdata/gguf/quantize/imatrix-"

func open(t *testing.T, path string) *Matrix {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// The two formats of one measurement say the same.
func TestBothFormats(t *testing.T) {
	current, legacy := open(t, golden+"llama-f16.gguf"), open(t, golden+"llama-f16.dat")
	for _, m := range []*Matrix{current, legacy} {
		if m.Len() != 113 || m.Chunks != 10 || len(m.Datasets) != 1 || m.Datasets[0] != "calibration.txt" {
			t.Errorf("%s: %d entries, %d chunks, datasets %q", m.Path, m.Len(), m.Chunks, m.Datasets)
		}
	}
	for name, e := range current.entries {
		a, b := make([]float32, 256), make([]float32, 256)
		if err := e.Read(context.Background(), a, 0); err != nil {
			t.Fatal(err)
		}
		if err := legacy.Entry(name).Read(context.Background(), b, 0); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s: element %d is %v and %v", name, i, a[i], b[i])
			}
		}
	}
}

// An expert that was never used counts all inputs alike.
func TestUnusedExpert(t *testing.T) {
	m := open(t, golden+"moe8-bf16.gguf")
	e := m.Entry("blk.0.ffn_gate_exps.weight")
	if err := e.Fits(8, 256); err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 256)
	for expert := range 8 {
		if err := e.Read(context.Background(), x, expert); err != nil {
			t.Fatal(err)
		}
		if ones := x[0] == 1 && x[100] == 1 && x[255] == 1; ones != (expert == 7) {
			t.Errorf("expert %d: %v …", expert, x[:3])
		}
	}
	if e.Fits(1, 256) == nil || e.Fits(8, 255) == nil {
		t.Error("the entry fits another shape too")
	}
}

func TestFilter(t *testing.T) {
	m := open(t, golden+"llama-f16.gguf").Filter(func(name string) bool { return strings.Contains(name, "attn_v") })
	if m.Len() != 16 || m.Entry("blk.3.attn_v.weight") == nil || m.Entry("blk.3.attn_q.weight") != nil {
		t.Errorf("%d entries", m.Len())
	}
}

// write makes a GGUF importance matrix for one tensor of two experts.
func write(t *testing.T, sums []float32, counts ...float32) string {
	t.Helper()
	tensor := func(name string, rows int, x []float32) *formats.Tensor {
		b := make([]byte, 4*len(x))
		for i, v := range x {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		}
		info := formats.Info{Name: name, DType: formats.F32, Shape: []int{rows, len(x) / rows}}
		return formats.NewExtent(info, formats.NewFile(bytes.NewReader(b), int64(len(b)), name), 0)
	}
	l, err := gguf.Layout(&formats.Model{
		Metadata: formats.Metadata{{Key: "general.type", Value: "imatrix"}},
		Tensors:  []*formats.Tensor{tensor("w.in_sum2", len(counts), sums), tensor("w.counts", len(counts), counts)},
	}, gguf.LayoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, l.Files[0].Size)
	copy(b, l.Files[0].Head)
	for _, p := range l.Files[0].Tensors {
		if err := p.Tensor.ReadRows(context.Background(), b[p.Offset:][:p.Tensor.NumBytes()], 0, p.Tensor.NumRows()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "imatrix.gguf")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBadValues(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		sums   []float32
		counts []float32
		want   string
	}{
		{[]float32{1, 2, 3, 4}, []float32{1, 1}, ""},
		{[]float32{0, 2, 0, 4}, []float32{1, 1}, ""},
		{[]float32{1, 2, 0, 0}, []float32{1, 0}, ""},
		{[]float32{1, nan, 3, 4}, []float32{1, 1}, "element 1 is NaN"},
		{[]float32{1, 2, inf, 4}, []float32{1, 1}, "element 2 is +Inf"},
		{[]float32{1, 2, 3, -1}, []float32{1, 1}, "element 3 is -1"},
		{[]float32{1, 2, 0, 0}, []float32{1, 1}, "expert 1 are zero"},
		{[]float32{1, 2, 3, 4}, []float32{1, nan}, "element 1 of w.counts is NaN"},
	} {
		m, err := Open(write(t, test.sums, test.counts...))
		for expert := 0; err == nil && expert < 2; expert++ {
			err = m.Entry("w").Read(context.Background(), make([]float32, 2), expert)
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("sums %v, counts %v: %v; want %q", test.sums, test.counts, err, test.want)
		}
	}
}

// Every beginning of an old file is an error, but for the one that lacks the
// whole trailer. Nothing in it makes the reader panic.
func TestLegacyTruncated(t *testing.T) {
	le := binary.LittleEndian
	whole := le.AppendUint32(nil, 1)
	whole = append(le.AppendUint32(whole, 1), 'w')
	whole = le.AppendUint32(le.AppendUint32(whole, 2), 2)
	whole = le.AppendUint64(whole, 0x3f8000003f800000)
	trailer := len(whole)
	whole = append(le.AppendUint32(le.AppendUint32(whole, 5), 3), "txt"...)
	for n := range len(whole) + 1 {
		m, err := read(formats.NewFile(bytes.NewReader(whole[:n]), int64(n), "old"))
		if (err == nil) != (n == trailer || n == len(whole)) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
		if err == nil && m.Len() != 1 {
			t.Errorf("%d entries", m.Len())
		}
	}
	for i := range whole {
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << bit
			_, err := read(formats.NewFile(bytes.NewReader(flipped), int64(len(whole)), "old"))
			if _, ok := errors.AsType[*formats.Error](err); err != nil && !ok {
				t.Errorf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, name := range []string{golden + "llama-f16.dat", golden + "tied-f16.gguf"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:2000])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := read(formats.NewFile(bytes.NewReader(data), int64(len(data)), "fuzz"))
		if err != nil {
			return
		}
		for _, e := range m.entries {
			n := e.sums.NumElements() / len(e.counts)
			if e.Fits(len(e.counts), n) == nil && n > 0 {
				e.Read(context.Background(), make([]float32, n), len(e.counts)-1)
			}
		}
	})
}
