package kernels

import (
	"math"
	"testing"
)

func TestDecodeIntegers(t *testing.T) {
	for _, test := range []struct {
		name   string
		decode func([]float32, []byte)
		src    []byte
		want   []float32
	}{
		{"I8", DecodeI8, []byte{0, 127, 128, 255}, []float32{0, 127, -128, -1}},
		{"U8", DecodeU8, []byte{0, 127, 128, 255}, []float32{0, 127, 128, 255}},
		{"I16", DecodeI16, []byte{1, 0, 0, 128, 255, 255}, []float32{1, -32768, -1}},
		{"U16", DecodeU16, []byte{1, 0, 0, 128, 255, 255}, []float32{1, 32768, 65535}},
		// 2²⁴+1 is a tie and goes to even, 2²⁴+3 too.
		{"I32", DecodeI32, []byte{1, 0, 0, 1, 3, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 128}, []float32{1 << 24, 1<<24 + 4, -1, -1 << 31}},
		{"U32", DecodeU32, []byte{1, 0, 0, 1, 255, 255, 255, 255}, []float32{1 << 24, 1 << 32}},
		// 2⁶²+2³⁸+1 is just above a tie: by way of float64 it would become one.
		{"I64", DecodeI64, []byte{1, 0, 0, 0, 64, 0, 0, 64, 255, 255, 255, 255, 255, 255, 255, 255}, []float32{1<<62 + 1<<39, -1}},
		{"U64", DecodeU64, []byte{1, 0, 0, 0, 128, 0, 0, 128, 255, 255, 255, 255, 255, 255, 255, 255}, []float32{1<<63 + 1<<40, 1 << 64}},
		{"BOOL", DecodeBool, []byte{0, 1, 2}, []float32{0, 1, 1}},
		{"F8_E8M0", DecodeF8E8M0, []byte{0, 1, 127, 128, 254}, []float32{0x1p-127, 0x1p-126, 1, 2, 0x1p127}},
		{"F4", DecodeF4, []byte{0x10, 0x32, 0x54, 0x76, 0x98, 0xfe}, []float32{0, 0.5, 1, 1.5, 2, 3, 4, 6, float32(math.Copysign(0, -1)), -0.5, -4, -6}},
		{"F4 of odd length", DecodeF4, []byte{0x76, 0x0f}, []float32{4, 6, -6}},
	} {
		got := make([]float32, len(test.want))
		test.decode(got, test.src)
		if i := firstDifference(got, test.want); i >= 0 {
			t.Errorf("%s: element %d = %v, want %v", test.name, i, got[i], test.want[i])
		}
	}
	var nan [1]float32
	if DecodeF8E8M0(nan[:], []byte{255}); nan[0] == nan[0] {
		t.Errorf("F8_E8M0: 0xff = %v, want NaN", nan[0])
	}
}

func TestF32(t *testing.T) {
	b := make([]byte, 4*len(specials)+1)
	EncodeF32(b[1:], specials)
	if b[1+4*20] != byte(math.Float32bits(specials[20])) {
		t.Errorf("EncodeF32 is not little-endian")
	}
	got := make([]float32, len(specials))
	DecodeF32(got, b[1:])
	if i := firstDifference(got, specials); i >= 0 {
		t.Errorf("%#08x became %#08x", math.Float32bits(specials[i]), math.Float32bits(got[i]))
	}
}
