package kernels

import (
	"math"
	"testing"
)

// TestMXFP4Exponent compares the scales with the floor of the logarithm, rounded to
// float32, around every power of two.
func TestMXFP4Exponent(t *testing.T) {
	check := func(b uint32) {
		peak := math.Float32frombits(b)
		log := float32(math.Log2(float64(peak)))
		want := uint8(int(math.Floor(float64(log))) - 2 + 127)
		if got := mxfp4Exponent(peak); got != want {
			t.Fatalf("mxfp4Exponent(%g = %#x) = %d, want %d", peak, b, got, want)
		}
	}
	for exponent := -149; exponent <= 127; exponent++ {
		b := math.Float32bits(float32(math.Ldexp(1, exponent)))
		for ulps := range uint32(200) {
			check(b + ulps)
			if ulps < b {
				check(b - ulps)
			}
		}
	}
	r := newRand(1)
	for range 100000 {
		check(1 + r.Uint32N(f32Inf-1))
	}
	if got := mxfp4Exponent(0); got != 0 {
		t.Errorf("mxfp4Exponent(0) = %d, want 0", got)
	}
}

// TestE2M1 compares counting midpoints with scanning all codes.
func TestE2M1(t *testing.T) {
	r := newRand(1)
	for range 20000 {
		half := mxfp4HalfScale(uint8(r.Uint32()))
		if r.IntN(2) == 0 {
			half = ue4m3Half[1+r.IntN(0x7e)]
		}
		x := make([]float32, 16)
		for i := range x {
			middle := e2m1Middles[r.IntN(7)] * half
			if r.IntN(10) == 0 {
				middle = e2m1Doubled[r.IntN(8)] * half
			}
			x[i] = math.Float32frombits(math.Float32bits(middle) + r.Uint32N(5) - 2)
			if abs32(x[i]) > 12*half { // 0 less an ulp
				x[i] = 0
			}
			if r.IntN(2) == 0 {
				x[i] = -x[i]
			}
		}
		if 12*half > maxFloat32 {
			continue // no block has that scale and such values
		}
		got := make([]byte, 8)
		encodeE2M1(got, x, half, absPeak(x))
		for i, v := range x {
			code := got[i%8] >> (i / 8 * 4) & 15
			if want := e2m1CodeByScan(v, half); code != want {
				t.Fatalf("code of %g with half a scale of %g = %d, want %d", v, half, code, want)
			}
		}
	}
}

// TestUE4M3 encodes what every scale below 256 decodes to, and what lies between.
func TestUE4M3(t *testing.T) {
	const last = 0x77 // 240; everything that rounds to 256 and more becomes 0x7e
	for code := uint8(1); code <= last; code++ {
		low, high := 2*ue4m3Half[code], 2*ue4m3Half[code+1]
		below := math.Float32frombits(math.Float32bits((low+high)/2) - 1)
		next := code + 1
		switch code {
		case 7:
			next = 7 // subnormal scales don't round up to a normal one
		case last:
			next = 0x7e
		}
		for _, c := range []struct {
			x    float32
			want uint8
		}{{low, code}, {below, code}, {(low + high) / 2, next}} {
			if got := encodeUE4M3(c.x); got != c.want {
				t.Errorf("encodeUE4M3(%g) = %#x, want %#x", c.x, got, c.want)
			}
		}
	}
	for x, want := range map[float32]uint8{0: 0, 0x1p-11: 0, 0x1p-10: 1, 256: 0x7e, 1e30: 0x7e, float32(math.Inf(1)): 0x7e} {
		if got := encodeUE4M3(x); got != want {
			t.Errorf("encodeUE4M3(%g) = %#x, want %#x", x, got, want)
		}
	}
}
