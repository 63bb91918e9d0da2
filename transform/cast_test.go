package transform_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/transform"
)

// encode returns numbers as little-endian bytes of F32 or F64.
func encode(d formats.DType, numbers ...float64) []byte {
	var out []byte
	for _, v := range numbers {
		if d == formats.F64 {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		} else {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(v)))
		}
	}
	return out
}

// inMemory returns a tensor with the given bytes.
func inMemory(name string, d formats.DType, shape []int, data []byte) *formats.Tensor {
	return formats.NewExtent(formats.Info{Name: name, DType: d, Shape: shape},
		formats.NewFile(bytes.NewReader(data), int64(len(data)), "memory"), 0)
}

func TestCast(t *testing.T) {
	half := 1 + 0x1p-11 // midway between two F16 numbers, so a hair decides
	m := &formats.Model{Tensors: []*formats.Tensor{
		inMemory("w", formats.F32, []int{2, 2}, encode(formats.F32, 1, 65520, 1e-9, math.Inf(1))),
		inMemory("d", formats.F64, []int{4}, encode(formats.F64, half, half+0x1p-50, 1e300, 1e-300)),
		inMemory("ids", formats.I64, []int{1}, make([]byte, 8)),
		inMemory("layers.0.A_log", formats.F32, []int{1}, encode(formats.F32, 3)),
	}, Files: []formats.Asset{{Name: "config.json", Data: []byte(`{"dtype":"float32"}`)}}}
	out, report, err := transform.Cast(m, formats.F16)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{
		"w": {0x00, 0x3c, 0x00, 0x7c, 0x00, 0x00, 0x00, 0x7c},
		// By way of float32 the second would be a tie and lose its last bit.
		"d":              {0x00, 0x3c, 0x01, 0x3c, 0x00, 0x7c, 0x00, 0x00},
		"ids":            make([]byte, 8),
		"layers.0.A_log": encode(formats.F32, 3),
	}
	for _, x := range out.Tensors {
		got := make([]byte, x.NumBytes())
		if err := x.ReadRows(t.Context(), got, 0, x.NumRows()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want[x.Name]) {
			t.Errorf("%s = % x, want % x", x.Name, got, want[x.Name])
		}
	}
	for i, want := range []struct {
		overflow, flushed int64
		kept              bool
	}{{1, 1, false}, {1, 1, false}, {0, 0, false}, {0, 0, true}} {
		c := report.Tensors[i]
		if c.Overflow() != want.overflow || c.Flushed() != want.flushed || (c.Kept != "") != want.kept {
			t.Errorf("%s: %d overflow, %d flushed, kept %q, want %+v", c.Name, c.Overflow(), c.Flushed(), c.Kept, want)
		}
	}
	if config, err := hf.Config(out); err != nil || config.String("dtype") != "float16" {
		t.Errorf("config.json says %q (%v), want float16", config.String("dtype"), err)
	}
}

func TestCastRefusesQuantized(t *testing.T) {
	m := &formats.Model{Path: "m", Files: []formats.Asset{{Name: "config.json", Data: []byte(`{"quantization_config":{"quant_method":"gptq"}}`)}}}
	if _, _, err := transform.Cast(m, formats.BF16); !errors.Is(err, formats.ErrUnsupported) {
		t.Errorf("Cast of a quantized checkpoint: %v, want ErrUnsupported", err)
	}
}

// TestWriteIsDeterministic writes one model in many ways and wants the same bytes.
func TestWriteIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	m := &formats.Model{}
	seed := uint64(1)
	for i := range 7 {
		rows, cols := 1+i*97, 1+i*131
		data := make([]byte, 8*rows*cols)
		for j := range rows * cols {
			seed = seed*6364136223846793005 + 1442695040888963407
			binary.LittleEndian.PutUint64(data[8*j:], math.Float64bits(float64(int64(seed))*0x1p-60))
		}
		m.Tensors = append(m.Tensors, inMemory(fmt.Sprintf("t%d", i), formats.F64, []int{rows, cols}, data))
	}
	out, _, err := transform.Cast(m, formats.BF16)
	if err != nil {
		t.Fatal(err)
	}
	l, err := hf.Layout(out, hf.LayoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var first []byte
	for i, o := range []transform.Options{
		{Workers: 1}, {Workers: 2}, {Workers: 8}, {Memory: 1, Workers: 3}, {Memory: 64 << 10}, {Memory: 4 << 30},
	} {
		path := filepath.Join(dir, fmt.Sprint(i))
		var last transform.Progress
		o.Progress = func(p transform.Progress) { last = p }
		if err := transform.Write(t.Context(), l, path, o); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(path, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Errorf("%+v gives other bytes than one worker", o)
		}
		if last.Done == 0 || last.Done > last.Total {
			t.Errorf("progress ends at %d of %d", last.Done, last.Total)
		}
	}
}

// failing is a tensor's data that can't be read.
type failing struct{}

func (failing) ReadRows(context.Context, []byte, int, int) error { return errors.New("no luck") }
func (failing) Scratch(int) int64                                { return 0 }

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	m := &formats.Model{Tensors: []*formats.Tensor{
		inMemory("good", formats.U8, []int{100, 100}, make([]byte, 10000)),
		{Info: formats.Info{Name: "bad", DType: formats.U8, Shape: []int{1000, 1000}}, Rows: failing{}},
	}}
	l, err := hf.Layout(m, hf.LayoutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := transform.Write(t.Context(), l, filepath.Join(dir, "out"), transform.Options{}); err == nil || err.Error() != "no luck" {
		t.Errorf("Write = %v, want the tensor's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := transform.Write(ctx, l, filepath.Join(dir, "out"), transform.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Write with a canceled context = %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("a failed run left %v", entries)
	}
}

func ExampleCast() {
	m := &formats.Model{Tensors: []*formats.Tensor{
		inMemory("weight", formats.F32, []int{1, 2}, encode(formats.F32, 0.1, 70000)),
	}}
	half, report, err := transform.Cast(m, formats.F16)
	if err != nil {
		fmt.Println(err)
		return
	}
	row := make([]float32, 2)
	if err := half.Tensors[0].ReadFloats(context.Background(), row, 0, 1); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(row, "overflows:", report.Tensors[0].Overflow())
	// Output: [0.099975586 +Inf] overflows: 1
}
