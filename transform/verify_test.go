package transform

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/hf"
)

// writeModel writes a checkpoint of a few tensors, in shards, with its digests.
func writeModel(t *testing.T, tensors ...*formats.Tensor) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	m := &formats.Model{Format: "safetensors", Tensors: tensors, Files: []formats.Asset{{Name: "config.json", Data: []byte(`{"model_type": "llama"}`)}}}
	l, err := hf.Layout(m, hf.LayoutOptions{MaxShardSize: 4000})
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(context.Background(), l, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeSums(t *testing.T, dir string) {
	t.Helper()
	sums, err := SumFolder(context.Background(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, s := range sums {
		text += s.String() + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, SumsFile), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func problems(t *testing.T, dir string) []Problem {
	t.Helper()
	v, err := Verify(context.Background(), dir, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return v.Problems
}

// Every flipped bit is found, wherever it is.
func TestVerifyBitRot(t *testing.T) {
	x := make([]float32, 2000)
	for i := range x {
		x[i] = float32(i)
	}
	dir := writeModel(t, floatTensor("a", x[:900], 30, 30), floatTensor("b", x, 2000))
	writeSums(t, dir)
	if p := problems(t, dir); len(p) > 0 {
		t.Fatalf("before: %v", p)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		path := files[i%len(files)]
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bit := r.IntN(8 * len(data))
		if filepath.Base(path) == SumsFile && bit%8 == 5 {
			continue // a capital hexadecimal digit is as good
		}
		data[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		v, err := Verify(context.Background(), dir, Options{})
		// A path in the index may have become one of a file that is not there.
		if err == nil && len(v.Problems) == 0 {
			t.Errorf("bit %d of %s: nothing found", bit, path)
		}
		data[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// Every number that is none is found, with its place.
func TestVerifyNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 40*50)
	for range 50 {
		at := r.IntN(len(x))
		bad := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[r.IntN(3)]
		x[at] = bad
		wide := make([]float64, len(x))
		wide[at] = float64(bad)
		wide[(at+1)%len(x)] = 1e300 // is no infinity
		half := make([]byte, 2*len(x))
		formats.Encoder(formats.BF16)(half, x)
		dir := writeModel(t, floatTensor("f32", x, 40, 50), f64Tensor("f64", wide, 40, 50), memoryTensor("bf16", formats.BF16, half, 40, 50))
		x[at] = 0
		got := problems(t, dir)
		if len(got) != 3 {
			t.Fatalf("%d problems: %v", len(got), got)
		}
		place := fmt.Sprintf("at [%d %d]; in all", at/50, at%50)
		for _, p := range got {
			if !strings.Contains(p.String(), place) {
				t.Errorf("%v does not say %q", p.String(), place)
			}
		}
	}
}

// TestVerifyChecksums changes a number of a PyTorch archive, which has a checksum
// that opening does not look at.
func TestVerifyChecksums(t *testing.T) {
	data, err := os.ReadFile("../testdata/torch/dtypes.pt")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dtypes.pt")
	write := func() {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write()
	m, err := hf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if p := problems(t, path); len(p) > 0 {
		t.Errorf("problems of a good file: %v", p)
	}
	data[m.Tensor("I32").Extent().Offset] ^= 1
	write()
	if p := problems(t, path); len(p) != 1 || !strings.Contains(p[0].Text, "its bytes have changed") {
		t.Errorf("problems of a changed file: %v", p)
	}
}
