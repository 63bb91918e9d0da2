package transform

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/loratool/loratool/formats"
)

// inMemory is a tensor whose data is in memory.
type inMemory struct {
	data     []byte
	rowBytes int64
}

func (m *inMemory) ReadRows(_ context.Context, dst []byte, lo, _ int) error {
	copy(dst, m.data[int64(lo)*m.rowBytes:])
	return nil
}

func (m *inMemory) Scratch(int) int64 { return 0 }

func memoryTensor(name string, d formats.DType, data []byte, shape ...int) *formats.Tensor {
	info := formats.Info{Name: name, DType: d, Shape: shape}
	return &formats.Tensor{Info: info, Rows: &inMemory{data, info.RowBytes()}}
}

func floatTensor(name string, x []float32, shape ...int) *formats.Tensor {
	b := make([]byte, 4*len(x))
	formats.Encoder(formats.F32)(b, x)
	return memoryTensor(name, formats.F32, b, shape...)
}

func f64Tensor(name string, x []float64, shape ...int) *formats.Tensor {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return memoryTensor(name, formats.F64, b, shape...)
}

func modelOf(tensors ...*formats.Tensor) *formats.Model { return &formats.Model{Tensors: tensors} }

func diffOne(t *testing.T, a, b *formats.Tensor) *TensorDiff {
	t.Helper()
	diffs, err := Diff(context.Background(), modelOf(a), modelOf(b), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return diffs[0]
}

func TestDiffNumbers(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	d := diffOne(t, floatTensor("x", []float32{3, 4, 0, 0}, 4), floatTensor("x", []float32{3, 1, -4, 0}, 4))
	if d.Equal || !d.Compared || d.MaxAbs != 4 || d.NormDifference != 5 || d.NormA != 5 || d.RelativeError() != 1 || d.NonFinite != 0 {
		t.Errorf("got %+v", d)
	}
	d = diffOne(t, floatTensor("x", []float32{inf, nan, 1, inf, 2}, 5), floatTensor("x", []float32{inf, nan, nan, -inf, 5}, 5))
	if d.MaxAbs != 3 || d.NonFinite != 2 || d.Same() {
		t.Errorf("with NaN and infinities: got %+v", d)
	}
	// The difference of two float32 need not be one.
	d = diffOne(t, floatTensor("x", []float32{math.MaxFloat32}, 1), floatTensor("x", []float32{-math.MaxFloat32}, 1))
	if d.MaxAbs != 2*math.MaxFloat32 || d.NonFinite != 0 {
		t.Errorf("with a great difference: got %+v", d)
	}
	// As float32 these two would be the same.
	d = diffOne(t, f64Tensor("x", []float64{1}, 1), f64Tensor("x", []float64{1 + 1e-12}, 1))
	if d.Equal || d.Same() || math.Abs(d.MaxAbs-1e-12) > 1e-15 {
		t.Errorf("of float64: got %+v", d)
	}
	d = diffOne(t, floatTensor("x", []float32{0}, 1), floatTensor("x", []float32{2}, 1))
	if !math.IsInf(d.RelativeError(), 1) {
		t.Errorf("of zero: relative error %v", d.RelativeError())
	}
	// Zeros of two signs differ in bytes, and not as numbers.
	d = diffOne(t, floatTensor("x", []float32{0}, 1), floatTensor("x", []float32{float32(math.Copysign(0, -1))}, 1))
	if d.Equal || !d.Same() {
		t.Errorf("of two zeros: got %+v", d)
	}
}

// The result is the same to the last bit for any number of workers and any
// memory.
func TestDiffDeterministic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float32, 700*1001), make([]float32, 700*1001)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		y[i] = x[i] * float32(1+1e-3*r.NormFloat64())
	}
	a := modelOf(floatTensor("x", x, 700, 1001), floatTensor("row", x, 700*1001))
	b := modelOf(floatTensor("x", y, 700, 1001), floatTensor("row", y, 700*1001))
	var want []*TensorDiff
	for _, o := range []Options{{}, {Workers: 1}, {Workers: 7, Memory: 20 << 20}, {Workers: 3, Memory: 1}} {
		got, err := Diff(context.Background(), a, b, o)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("with %+v: got %+v, want %+v", o, got[0], want[0])
		}
	}
}

func TestDiffCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := modelOf(floatTensor("x", []float32{1}, 1))
	if _, err := Diff(ctx, m, m, Options{}); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
