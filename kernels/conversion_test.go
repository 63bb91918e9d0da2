package kernels

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// A conversion is one with assembly: between src of from bytes an element and dst
// of to bytes, and the generic code that defines it.
type conversion struct {
	name     string
	from, to int
	convert  func(dst, src []byte)
	generic  func(dst, src []byte)
}

var conversions = []conversion{
	decoder("DecodeBF16", 2, DecodeBF16, decodeBF16Generic),
	encoder("EncodeBF16", 2, EncodeBF16, encodeBF16Generic),
	decoder("DecodeF16", 2, DecodeF16, decodeF16Generic),
	encoder("EncodeF16", 2, EncodeF16, encodeF16Generic),
	decoder("DecodeF64", 8, DecodeF64, decodeF64Generic),
	encoder("EncodeF64", 8, EncodeF64, encodeF64Generic),
	decoder("DecodeF8E4M3", 1, DecodeF8E4M3, decodeF8E4M3Generic),
	encoder("EncodeF8E4M3", 1, EncodeF8E4M3, encodeF8E4M3Generic),
	{"F64ToF32", 8, 4, F64ToF32, f64ToF32Generic},
	{"F64ToF16", 8, 2, F64ToF16, f64ToF16Generic},
	{"F64ToBF16", 8, 2, F64ToBF16, f64ToBF16Generic},
}

// decoder makes a conversion of a kernel whose floats must be aligned.
func decoder(name string, from int, convert, generic func([]float32, []byte)) conversion {
	bytesOut := func(f func([]float32, []byte)) func(dst, src []byte) {
		return func(dst, src []byte) {
			x := make([]float32, len(dst)/4)
			f(x, src)
			copy(dst, bytesOf(x))
		}
	}
	return conversion{name, from, 4, bytesOut(convert), bytesOut(generic)}
}

func encoder(name string, to int, convert, generic func([]byte, []float32)) conversion {
	bytesIn := func(f func([]byte, []float32)) func(dst, src []byte) {
		return func(dst, src []byte) {
			x := make([]float32, len(src)/4)
			copy(bytesOf(x), src)
			f(dst, x)
		}
	}
	return conversion{name, 4, to, bytesIn(convert), bytesIn(generic)}
}

// fillElements fills b with elements of a size, every other one hard to convert.
func fillElements(seed uint64, b []byte, size int) {
	r := newRand(seed)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	for i := 0; i+size <= len(b); i += size * (1 + r.IntN(3)) {
		v := specials[r.IntN(len(specials))]
		switch size {
		case 4:
			binary.LittleEndian.PutUint32(b[i:], math.Float32bits(v))
		case 8: // a neighbor of a float32
			binary.LittleEndian.PutUint64(b[i:], math.Float64bits(float64(v))+uint64(r.IntN(3))-1)
		}
	}
}

// TestConversions compares every implementation with the generic code at every
// length that makes another mix of whole registers and rest, at every alignment of
// the bytes, and looks for writes outside of dst.
func TestConversions(t *testing.T) {
	for _, c := range conversions {
		t.Run(c.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				for n := range 131 {
					for align := range 8 {
						checkConversion(t, c, n, align)
					}
				}
			})
		})
	}
}

func checkConversion(t *testing.T, c conversion, n, align int) {
	t.Helper()
	const sentinel = 0xa5
	src := make([]byte, align+n*c.from)[align:]
	fillElements(uint64(8*n+align), src, c.from)
	room := bytes.Repeat([]byte{sentinel}, align+n*c.to+64)
	got, want := room[align:][:n*c.to], make([]byte, n*c.to)
	c.convert(got, src)
	c.generic(want, src)
	for i := range n {
		g, w := got[i*c.to:][:c.to], want[i*c.to:][:c.to]
		if !bytes.Equal(g, w) {
			t.Fatalf("%s of %d at %d: element %d, %x, became %x, want %x", c.name, n, align, i, src[i*c.from:][:c.from], g, w)
		}
	}
	for i, b := range room {
		if (i < align || i >= align+n*c.to) && b != sentinel {
			t.Fatalf("%s of %d at %d wrote outside of dst, at %d", c.name, n, align, i-align)
		}
	}
}

// FuzzConversions takes the bytes as elements of every format.
func FuzzConversions(f *testing.F) {
	f.Add(bytesOf(specials))
	f.Add(allCodes8())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range conversions {
			src := b[:len(b)/c.from*c.from]
			got, want := make([]byte, len(src)/c.from*c.to), make([]byte, len(src)/c.from*c.to)
			c.generic(want, src)
			eachAvailable(t, func(name string) {
				if c.convert(got, src); !bytes.Equal(got, want) {
					t.Fatalf("%s of %x with %s = %x, want %x", c.name, src, name, got, want)
				}
			})
		}
	})
}
