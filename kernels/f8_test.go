package kernels

import (
	"math"
	"testing"
)

var f8Formats = []struct {
	name   string
	decode func([]float32, []byte)
	encode func([]byte, []float32)
	format *minifloat
	values map[byte]float64 // from the format's specification
}{
	{"F8_E4M3", DecodeF8E4M3, EncodeF8E4M3, f8E4M3,
		map[byte]float64{0: 0, 1: 0x1p-9, 7: 0x1.cp-7, 8: 0x1p-6, 0x38: 1, 0x39: 1.125, 0x7e: 448, 0xfe: -448}},
	{"F8_E5M2", DecodeF8E5M2, EncodeF8E5M2, f8E5M2,
		map[byte]float64{0: 0, 1: 0x1p-16, 3: 0x1.8p-15, 4: 0x1p-14, 0x3c: 1, 0x3d: 1.25, 0x7b: 57344, 0x7c: math.Inf(1), 0xfc: math.Inf(-1)}},
	{"F8_E4M3FNUZ", DecodeF8E4M3FNUZ, EncodeF8E4M3FNUZ, f8E4M3FNUZ,
		map[byte]float64{0: 0, 1: 0x1p-10, 7: 0x1.cp-8, 8: 0x1p-7, 0x40: 1, 0x7f: 240, 0xff: -240}},
	{"F8_E5M2FNUZ", DecodeF8E5M2FNUZ, EncodeF8E5M2FNUZ, f8E5M2FNUZ,
		map[byte]float64{0: 0, 1: 0x1p-17, 3: 0x1.8p-16, 4: 0x1p-15, 0x40: 1, 0x7f: 57344, 0xff: -57344}},
}

func allCodes8() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestDecodeF8(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		for _, f := range f8Formats {
			got := make([]float32, 256)
			f.decode(got, allCodes8())
			for code, want := range f.values {
				if v := float64(got[code]); v != want {
					t.Errorf("%s: %#02x = %v, want %v", f.name, code, v, want)
				}
			}
			if i := firstDifference(got, f.format.values[:]); i >= 0 {
				t.Errorf("%s: %#02x = %v, want %v", f.name, i, got[i], f.format.values[i])
			}
			back := make([]byte, 256)
			f.encode(back, got)
			for i, b := range back {
				if !(got[i] != got[i]) && int(b) != i {
					t.Errorf("%s: %#02x became %v and then %#02x", f.name, i, got[i], b)
				}
			}
		}
	})
}

// TestEncodeF8 compares with a search for the nearest value among all codes.
func TestEncodeF8(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		for _, f := range f8Formats {
			x := append([]float32(nil), specials...)
			for code := range byte(0x7f) {
				v, next := f.format.values[code], f.format.values[code+1]
				for _, m := range []float32{v, v + (next-v)/2} {
					x = append(x, m, math.Nextafter32(m, 0), math.Nextafter32(m, 1e9))
				}
			}
			for i := range len(x) {
				x = append(x, -x[i])
			}
			got := make([]byte, len(x))
			f.encode(got, x)
			for i, v := range x {
				if want := nearestF8(f.format, v); got[i] != want {
					t.Errorf("%s: %v (%#08x) = %#02x, want %#02x", f.name, v, math.Float32bits(v), got[i], want)
				}
			}
		}
	})
}

// nearestF8 looks through the finite values, and one step beyond them for what
// rounds to more than the greatest. Of two equally near codes the even one wins.
func nearestF8(f *minifloat, v float32) byte {
	sign := byte(math.Float32bits(v)>>24) & 0x80
	if v != v {
		switch f {
		case f8E4M3:
			return sign | 0x7f
		case f8E5M2:
			return sign | 0x7e | byte(math.Float32bits(v)>>21)&1
		}
		return 0x80
	}
	a := math.Abs(float64(v))
	greatest := float64(f.values[f.max])
	best, distance := byte(0), a
	for code := byte(1); code <= f.max; code++ {
		d := math.Abs(a - float64(f.values[code]))
		if d < distance || d == distance && code&1 == 0 {
			best, distance = code, d
		}
	}
	step := greatest - float64(f.values[f.max-1])
	if d := math.Abs(a - greatest - step); a > greatest && (d < distance || d == distance && f.max&1 == 1) || math.IsInf(a, 0) {
		best = f.overflow
	}
	if f.fnuz && best == 0 {
		return 0
	}
	return sign | best
}
