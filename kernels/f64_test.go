package kernels

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"
)

// float64Cases are numbers whose rounding to 32 or 16 bits is hard: halfway
// points of the target formats, and their neighbors in float64, where going by
// way of float32 would make a tie of what is none.
func float64Cases() []float64 {
	x := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	for _, u := range []uint64{
		0x7ff0000000000001, 0x7ff8000000000000, 0x7ff8123456789abc, 0xfff0000020000000, 0xffffffffffffffff, 0x7ff0000000001fff,
	} {
		x = append(x, math.Float64frombits(u))
	}
	for _, v := range halfwayPoints(func(code uint16) float32 { return math.Float32frombits(uint32(code) << 16) })[:40000] {
		x = aroundF64(x, float64(v))
	}
	for i := range 1 << 16 {
		var f [1]float32
		decodeF16Generic(f[:], []byte{byte(i), byte(i >> 8)})
		ulp := math.Ldexp(1, max(ilogb(float64(f[0])), -14)-11)
		x = aroundF64(x, float64(f[0])+ulp)
	}
	r := newRand(1)
	for range 10000 {
		v := math.Ldexp(1+float64(r.IntN(1<<24))/(1<<24), r.IntN(300)-170)
		x = aroundF64(x, v+math.Ldexp(1, ilogb(v)-24))
	}
	return x
}

func ilogb(v float64) int {
	if v == 0 || math.IsInf(v, 0) || v != v {
		return 0
	}
	return math.Ilogb(v)
}

func aroundF64(x []float64, v float64) []float64 {
	return append(x, v, math.Nextafter(v, math.Inf(1)), math.Nextafter(v, math.Inf(-1)))
}

// roundBig rounds v to a format with the given bits of precision and least and
// greatest exponents, by arbitrary-precision arithmetic.
func roundBig(v *big.Float, precision, minExp, maxExp int) float64 {
	sign := float64(v.Sign())
	if sign == 0 {
		f, _ := v.Float64()
		return f
	}
	if exp := v.MantExp(nil) - 1; exp < minExp { // subnormal: as many bits less
		smallest := math.Ldexp(1, minExp-precision+1)
		precision -= minExp - exp
		if precision < 1 {
			if new(big.Float).Abs(v).Cmp(big.NewFloat(smallest/2)) <= 0 {
				smallest = 0
			}
			return math.Copysign(smallest, sign)
		}
	}
	r := new(big.Float).SetMode(big.ToNearestEven).SetPrec(uint(precision)).Set(v)
	if r.MantExp(nil)-1 > maxExp {
		return math.Inf(v.Sign())
	}
	f, _ := r.Float64()
	return f
}

func TestF64(t *testing.T) {
	x := float64Cases()
	src := make([]byte, 8*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint64(src[8*i:], math.Float64bits(v))
	}
	want32, want16, wantB16 := make([]uint32, len(x)), make([]uint16, len(x)), make([]uint16, len(x))
	for i, v := range x {
		if v != v {
			u := math.Float64bits(v)
			sign := uint32(u>>32) & f32Sign
			want32[i] = sign | f32NaN | uint32(u<<12>>41)
		} else if math.IsInf(v, 0) {
			want32[i] = math.Float32bits(float32(v))
		} else {
			b := new(big.Float).SetFloat64(v)
			want32[i] = math.Float32bits(float32(roundBig(b, 24, -126, 127)))
			want16[i] = exactF16(roundBig(b, 11, -14, 15))
			wantB16[i] = uint16(math.Float32bits(float32(roundBig(b, 8, -126, 127))) >> 16)
			continue
		}
		want16[i] = exactF16Bits(want32[i])
		wantB16[i] = uint16(want32[i] >> 16)
	}
	eachImpl(t, func(t *testing.T) {
		got32, got16, gotB16 := make([]byte, 4*len(x)), make([]byte, 2*len(x)), make([]byte, 2*len(x))
		decoded := make([]float32, len(x))
		F64ToF32(got32, src)
		F64ToF16(got16, src)
		F64ToBF16(gotB16, src)
		DecodeF64(decoded, src)
		for i, v := range x {
			if g := binary.LittleEndian.Uint32(got32[4*i:]); g != want32[i] || math.Float32bits(decoded[i]) != g {
				t.Fatalf("%x (%#016x) to F32 = %#08x, want %#08x", v, math.Float64bits(v), g, want32[i])
			}
			if g := binary.LittleEndian.Uint16(got16[2*i:]); g != want16[i] {
				t.Fatalf("%x (%#016x) to F16 = %#04x, want %#04x", v, math.Float64bits(v), g, want16[i])
			}
			if g := binary.LittleEndian.Uint16(gotB16[2*i:]); g != wantB16[i] {
				t.Fatalf("%x (%#016x) to BF16 = %#04x, want %#04x", v, math.Float64bits(v), g, wantB16[i])
			}
		}
	})
}

// exactF16 returns the code of a value that F16 has.
func exactF16(v float64) uint16 { return exactF16Bits(math.Float32bits(float32(v))) }

func exactF16Bits(u uint32) uint16 {
	var b [2]byte
	encodeF16Generic(b[:], []float32{math.Float32frombits(u)})
	return binary.LittleEndian.Uint16(b[:])
}

func TestEncodeF64(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		got := make([]byte, 8*len(specials))
		EncodeF64(got, specials)
		for i, v := range specials {
			g := binary.LittleEndian.Uint64(got[8*i:])
			want := math.Float64bits(float64(v))
			if u := math.Float32bits(v); v != v {
				want = uint64(u>>31)<<63 | 0x7ff8<<48 | uint64(u&(f32Quiet-1))<<29
			}
			if g != want {
				t.Errorf("EncodeF64(%#08x) = %#016x, want %#016x", math.Float32bits(v), g, want)
			}
		}
	})
}
