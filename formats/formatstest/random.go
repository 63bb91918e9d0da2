package formatstest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/loratool/loratool/formats"
)

// Random returns a model of n tensors, the same for the same state of rng. Of
// the plain number formats all occur, of shapes scalars, vectors, empty ones and
// those of up to four dimensions, and of names what tensors are called in
// practice and what JSON has to escape. The bytes are random, so floats are NaN
// or infinite now and then. Tensors lie in one file of memory, in order, at
// offsets of any alignment.
func Random(rng *rand.Rand, n int) *formats.Model {
	var infos []formats.Info
	for i := range n {
		infos = append(infos, randomInfo(rng, i))
	}
	var data []byte
	offsets := make([]int64, n)
	for i, info := range infos {
		data = append(data, randomBytes(rng, rng.IntN(9))...) // a gap
		offsets[i] = int64(len(data))
		data = append(data, randomBytes(rng, int(info.NumBytes()))...)
	}
	f := formats.NewFile(bytes.NewReader(data), int64(len(data)), "random")
	m := &formats.Model{Path: "random", Format: "random", Inputs: []*formats.File{f}}
	for i, info := range infos {
		m.Tensors = append(m.Tensors, formats.NewExtent(info, f, offsets[i]))
	}
	for i := range rng.IntN(4) {
		m.Metadata = append(m.Metadata, formats.KeyValue{Key: fmt.Sprintf("key.%d", i), Value: names[rng.IntN(len(names))]})
	}
	return m
}

// names are completed by a number.
var names = []string{
	"model.layers.%d.self_attn.q_proj.weight", "lora_unet_down_blocks_%d_attentions_0.alpha", "%d", "bias %d",
	"größe.%d", "重み.%d", `quote"\%d`, "tab\t%d", "<&>%d", "\u2028%d", "𝛼%d",
}

// plain are the number formats of whole bytes that are no blocks.
var plain = []formats.DType{
	formats.Bool, formats.U8, formats.I8, formats.F8_E5M2, formats.F8_E4M3, formats.F8_E8M0,
	formats.F8_E4M3FNUZ, formats.F8_E5M2FNUZ, formats.I16, formats.U16, formats.F16, formats.BF16,
	formats.I32, formats.U32, formats.F32, formats.C64, formats.F64, formats.I64, formats.U64,
}

func randomInfo(rng *rand.Rand, i int) formats.Info {
	info := formats.Info{
		Name:  fmt.Sprintf(names[rng.IntN(len(names))], i),
		DType: plain[(i+rng.IntN(2))%len(plain)],
		Shape: []int{},
	}
	for range rng.IntN(5) {
		d := 1 + rng.IntN(12)
		if rng.IntN(16) == 0 {
			d = 0
		}
		info.Shape = append(info.Shape, d)
	}
	return info
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// Bytes returns the contents of a file of a layout, which copies no other.
func Bytes(t testing.TB, f formats.LayoutFile) []byte {
	t.Helper()
	b := make([]byte, f.Size)
	copy(b, f.Head)
	for _, p := range f.Tensors {
		dst := b[p.Offset:][:p.Tensor.NumBytes()]
		if err := p.Tensor.ReadRows(context.Background(), dst, 0, p.Tensor.NumRows()); err != nil {
			t.Fatalf("%q: %v", p.Tensor.Name, err)
		}
	}
	return b
}

// Same fails the test unless two models have the same tensors, in any order:
// names, number formats, shapes and bytes.
func Same(t testing.TB, got, want *formats.Model) {
	t.Helper()
	if len(got.Tensors) != len(want.Tensors) {
		t.Errorf("%d tensors, want %d", len(got.Tensors), len(want.Tensors))
	}
	for _, w := range want.Tensors {
		g := got.Tensor(w.Name)
		if g == nil {
			t.Errorf("tensor %q is missing", w.Name)
			continue
		}
		if g.String() != w.String() {
			t.Errorf("%q is %v, want %v", w.Name, &g.Info, &w.Info)
			continue
		}
		a, errA := read(g, 0, g.NumRows())
		b, errB := read(w, 0, w.NumRows())
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%q has other bytes than it should (%v, %v)", w.Name, errA, errB)
		}
	}
}
