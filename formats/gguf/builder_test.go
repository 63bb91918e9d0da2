package gguf

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/loratool/loratool/formats"
)

// A builder writes files field by field, as wrongly as a test wants, in any
// version and byte order. It shares nothing with the encoder.
type builder struct {
	order   binary.AppendByteOrder
	version uint32
	b       []byte
}

func newBuilder(order binary.AppendByteOrder, version uint32) *builder {
	return &builder{order: order, version: version}
}

func (b *builder) bytes(s string) *builder { b.b = append(b.b, s...); return b }
func (b *builder) u16(v uint16) *builder   { b.b = b.order.AppendUint16(b.b, v); return b }
func (b *builder) u32(v uint32) *builder   { b.b = b.order.AppendUint32(b.b, v); return b }
func (b *builder) u64(v uint64) *builder   { b.b = b.order.AppendUint64(b.b, v); return b }

// size appends a length as the version has them.
func (b *builder) size(n uint64) *builder {
	if b.version == 1 {
		return b.u32(uint32(n))
	}
	return b.u64(n)
}

func (b *builder) text(s string) *builder { return b.size(uint64(len(s))).bytes(s) }

func (b *builder) begin(tensors, pairs uint64) *builder {
	return b.bytes("GGUF").u32(b.version).size(tensors).size(pairs)
}

func (b *builder) key(k string, t valueType) *builder { return b.text(k).u32(uint32(t)) }

func (b *builder) array(t valueType, n uint64) *builder { return b.u32(uint32(t)).size(n) }

// tensor appends a description; dims come as in the file, innermost first.
func (b *builder) tensor(name string, id uint32, offset uint64, dims ...uint64) *builder {
	b.text(name).u32(uint32(len(dims)))
	for _, d := range dims {
		b.size(d)
	}
	return b.u32(id).u64(offset)
}

func (b *builder) pad(alignment int) *builder {
	for len(b.b)%alignment != 0 {
		b.b = append(b.b, 0)
	}
	return b
}

func (b *builder) file() *formats.File {
	return formats.NewFile(bytes.NewReader(b.b), int64(len(b.b)), "test.gguf")
}

// sampleMetadata is what sample has: a value of every type.
var sampleMetadata = formats.Metadata{
	{Key: "general.architecture", Value: "llama"},
	{Key: "u8", Value: uint8(200)},
	{Key: "i8", Value: int8(-100)},
	{Key: "u16", Value: uint16(60000)},
	{Key: "i16", Value: int16(-30000)},
	{Key: "u32", Value: uint32(4e9)},
	{Key: "i32", Value: int32(-2e9)},
	{Key: "f32", Value: float32(1.5)},
	{Key: "yes", Value: true},
	{Key: "no", Value: false},
	{Key: "empty", Value: ""},
	{Key: "u64", Value: uint64(1 << 63)},
	{Key: "i64", Value: int64(math.MinInt64)},
	{Key: "f64", Value: 1e300},
	{Key: "words", Value: []string{"a", "", "ç"}},
	{Key: "ids", Value: []int32{-1, 0, 1}},
	{Key: "none", Value: []float32{}},
	{Key: "flags", Value: []bool{true, false}},
	{Key: "nested", Value: []any{[]uint16{1, 2}, []string{"x"}, []any{[]uint8{}}}},
}

// sample returns a file with every type of value and four tensors.
func sample(order binary.AppendByteOrder, version uint32) *builder {
	b := newBuilder(order, version).begin(4, uint64(len(sampleMetadata)))
	b.key("general.architecture", typeString).text("llama")
	b.key("u8", typeUint8).bytes("\xc8")
	b.key("i8", typeInt8).bytes("\x9c")
	b.key("u16", typeUint16).u16(60000)
	b.key("i16", typeInt16).u16(0x8ad0)
	b.key("u32", typeUint32).u32(4e9)
	b.key("i32", typeInt32).u32(0x88ca6c00)
	b.key("f32", typeFloat32).u32(0x3fc00000)
	b.key("yes", typeBool).bytes("\x02") // anything but 0 is true
	b.key("no", typeBool).bytes("\x00")
	b.key("empty", typeString).text("")
	b.key("u64", typeUint64).u64(1 << 63)
	b.key("i64", typeInt64).u64(1 << 63)
	b.key("f64", typeFloat64).u64(math.Float64bits(1e300))
	b.key("words", typeArray).array(typeString, 3).text("a").text("").text("ç")
	b.key("ids", typeArray).array(typeInt32, 3).u32(0xffffffff).u32(0).u32(1)
	b.key("none", typeArray).array(typeFloat32, 0)
	b.key("flags", typeArray).array(typeBool, 2).bytes("\x01\x00")
	b.key("nested", typeArray).array(typeArray, 3)
	b.array(typeUint16, 2).u16(1).u16(2)
	b.array(typeString, 1).text("x")
	b.array(typeArray, 1).array(typeUint8, 0)
	b.tensor("scalar", 0, 0)
	b.tensor("half", 1, 32, 3, 2)
	b.tensor("zero", 0, 64, 0, 7)
	b.tensor("q8", 8, 64, 32, 1, 2)
	b.pad(32).u32(math.Float32bits(2.5)).pad(32)
	for _, h := range []uint16{0x3c00, 0xbc00, 0x4000, 0, 0x8000, 0x7bff} {
		b.u16(h)
	}
	b.pad(32)
	for range 2 {
		b.u16(0x3c00)
		for i := range 32 {
			b.bytes(string(rune(i)))
		}
	}
	return b.pad(32)
}

// contents returns the tensors' data by name.
func contents(t *testing.T, m *formats.Model) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, x := range m.Tensors {
		b := make([]byte, x.NumBytes())
		if err := x.ReadRows(context.Background(), b, 0, x.NumRows()); err != nil {
			t.Fatalf("%s: %v", x.Name, err)
		}
		out[x.Name] = b
	}
	return out
}

// build returns the bytes of a file of a layout.
func build(t *testing.T, f *formats.LayoutFile) []byte {
	t.Helper()
	b := make([]byte, f.Size)
	copy(b, f.Head)
	for _, p := range f.Tensors {
		if err := p.Tensor.ReadRows(context.Background(), b[p.Offset:][:p.Tensor.NumBytes()], 0, p.Tensor.NumRows()); err != nil {
			t.Fatal(err)
		}
	}
	return b
}
