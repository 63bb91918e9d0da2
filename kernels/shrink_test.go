package kernels

import (
	"math"
	"testing"
)

// shrinkInput returns values of all sorts, but finite ones: normal numbers of different
// sizes, zeros, and numbers that lie exactly between two codes.
func shrinkInput(seed uint64, n int) []float32 {
	r := newRand(seed)
	x := make([]float32, n)
	for i := range x {
		switch r.IntN(12) {
		case 0:
			x[i] = 0
		case 1:
			x[i] = float32(r.IntN(33)-16) / 2
		case 2:
			x[i] = float32(math.Copysign(1e-39*r.Float64(), r.NormFloat64()))
		default:
			x[i] = float32(r.NormFloat64() * math.Pow(10, float64(i/97%5-3)))
		}
	}
	return x
}

// TestEncodeNF4 compares codes with the count of midpoints below, at every length.
func TestEncodeNF4(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 7, 63, 64, 65, 127, 128, 129, 1000, 4096} {
			x := shrinkInput(uint64(n), n)
			if n > 64 {
				clear(x[:64])
			}
			peaks := make([]float32, (n+63)/64)
			PeakGroups(peaks, x, 64)
			got := make([]byte, (n+1)/2)
			EncodeNF4(got, x, peaks, 64)
			for i, v := range x {
				r := 1 / max(peaks[i/64], 1e-38)
				s := v * r
				want := uint8(0)
				for j := range 15 {
					if (NF4Values[j]+NF4Values[j+1])/2 < s {
						want++
					}
				}
				if code := got[i/2] >> (4 - 4*(i%2)) & 15; code != want {
					t.Fatalf("of %d, element %d, %v over %v: code %d, want %d", n, i, v, peaks[i/64], code, want)
				}
			}
		}
	})
}

// TestNF4Cells says that no cell has two midpoints, and that values around each midpoint
// get the code on their side.
func TestNF4Cells(t *testing.T) {
	for i, m := range nf4Middles[:15] {
		for ulps := range uint32(100) {
			b := math.Float32bits(m)
			for _, s := range []float32{math.Float32frombits(b + ulps), math.Float32frombits(b - ulps)} {
				want := uint8(i)
				if s > m {
					want++
				}
				if got := nf4Code(s); got != want {
					t.Fatalf("nf4Code(%v) = %d, want %d", s, got, want)
				}
			}
		}
		if i > 0 && nf4Cell(m) == nf4Cell(nf4Middles[i-1]) {
			t.Errorf("midpoints %d and %d share a cell", i-1, i)
		}
	}
	for s, want := range map[float32]uint8{-1: 0, -2: 0, 1: 15, 2: 15, 0: 7, float32(math.NaN()): 0} {
		if got := nf4Code(s); got != want {
			t.Errorf("nf4Code(%v) = %d, want %d", s, got, want)
		}
	}
}

// TestEncodeAffine says that scales, biases and codes are those of the formula in float64
// where float32 leaves no doubt, and that the range's farther end and zero are exact.
func TestEncodeAffine(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		for _, bits := range []int{4, 8} {
			for _, group := range []int{32, 64, 128} {
				x := shrinkInput(uint64(bits*group), 8*group)
				clear(x[:group])
				scales, biases := make([]float32, 8), make([]float32, 8)
				AffineGroups(scales, biases, x, group, bits)
				codes := make([]uint8, len(x))
				EncodeAffine(codes, x, scales, biases, group, bits)
				top := float64(int(1)<<bits - 1)
				for i, v := range x {
					s, b := float64(scales[i/group]), float64(biases[i/group])
					q := (float64(v) - b) / s
					if c := float64(codes[i]); math.Abs(c-min(max(q, 0), top)) > 0.5+1e-4*max(1, math.Abs(q)) {
						t.Fatalf("%d bits, groups of %d, element %d, %v: code %v, but (x−b)/s is %v", bits, group, i, v, c, q)
					}
				}
				for g := range scales {
					if b := biases[g]; b != 0 {
						low, high := extremes(x[g*group : (g+1)*group])
						if b != low && b != high {
							t.Errorf("the bias %v is neither end of [%v, %v]", b, low, high)
						}
					}
				}
			}
		}
	})
}

// TestEncodeLevels compares with rounding in float64.
func TestEncodeLevels(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		for _, c := range []struct{ lo, hi, offset int }{{-8, 7, 8}, {-127, 127, 0}, {0, 255, 0}} {
			for _, n := range []int{0, 1, 15, 16, 17, 300} {
				x := shrinkInput(uint64(n), n)
				got := make([]uint8, n)
				EncodeLevels(got, x, c.lo, c.hi, c.offset)
				for i, v := range x {
					want := min(max(math.RoundToEven(float64(v)), float64(c.lo)), float64(c.hi)) + float64(c.offset)
					if got[i] != uint8(int(want)) {
						t.Fatalf("EncodeLevels(%v) in [%d, %d] = %d, want %v", v, c.lo, c.hi, got[i], want)
					}
				}
			}
		}
	})
}

// TestEncodeE2M1Groups says that each code is nearest, and zeros where the scale is 0.
func TestEncodeE2M1Groups(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		x := shrinkInput(3, 640)
		scales := make([]float32, 40)
		PeakGroups(scales, x, 16)
		for i := range scales {
			scales[i] /= 6
		}
		scales[3] = 0
		codes, y := make([]byte, 320), make([]float32, 640)
		EncodeE2M1Groups(codes, x, scales, 16)
		DecodeF4(y, codes)
		for i, v := range x {
			s := float64(scales[i/16])
			least := math.Inf(1)
			for _, c := range f4Values {
				least = min(least, math.Abs(float64(c)*s-float64(v)))
			}
			if e := math.Abs(float64(y[i])*s - float64(v)); e > least*(1+1e-6)+1e-45 {
				t.Errorf("element %d, %v with the scale %v: %v is off by %v, the nearest by %v", i, v, s, y[i], e, least)
			}
		}
	})
}

// TestDivideGroups divides, and gives 0 for a scale of 0.
func TestDivideGroups(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		x := shrinkInput(5, 100)
		scales := []float32{3, 0, 0.1, 7}
		got := make([]float32, 100)
		DivideGroups(got, x, scales, 32)
		for i, v := range x {
			want := float32(0)
			if s := scales[i/32]; s != 0 {
				want = v / s
			}
			if got[i] != want {
				t.Fatalf("%v / %v = %v, want %v", v, scales[i/32], got[i], want)
			}
		}
	})
}

func BenchmarkShrink(b *testing.B) {
	const n = 1 << 16
	x := make([]float32, n) // no subnormal numbers, which are slow
	for i := range x {
		x[i] = float32(i%1009)/1009 - float32(i%997)/997 + 1e-3
	}
	scales, biases := make([]float32, n/64), make([]float32, n/64)
	dst := make([]uint8, n)
	PeakGroups(scales, x, 64)
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"PeakGroups", func() { PeakGroups(scales, x, 64) }},
		{"NF4", func() { EncodeNF4(dst[:n/2], x, scales, 64) }},
		{"AffineGroups", func() { AffineGroups(scales, biases, x, 64, 4) }},
		{"EncodeAffine", func() { EncodeAffine(dst, x, scales, biases, 64, 4) }},
		{"EncodeLevels", func() { EncodeLevels(dst, x, -8, 7, 8) }},
		{"E2M1", func() { EncodeE2M1Groups(dst[:n/2], x, scales, 64) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			eachImplB(b, func(b *testing.B) {
				b.SetBytes(4 * n)
				for b.Loop() {
					c.run()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mweights/s")
			})
		})
	}
}
