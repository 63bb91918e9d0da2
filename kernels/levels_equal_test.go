package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestLevelsEqual says that every implementation makes the levels, ranges and nibbles of
// the generic code, at every length and alignment, of all sorts of finite numbers.
func TestLevelsEqual(t *testing.T) {
	const most = 400
	all := shrinkInput(11, most)
	for _, v := range specials {
		if !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) {
			all = append(all, v)
		}
	}
	for i := range 15 {
		all = append(all, nf4Middles[i], -nf4Middles[i])
	}
	levels := map[string][2]func(dst []uint8, x []float32){
		"limited": {func(dst []uint8, x []float32) { encodeLevels(dst, x, -8, 7, 8) },
			func(dst []uint8, x []float32) { limitedLevelsGeneric(dst, x, -8, 7, 8) }},
		"signed": {func(dst []uint8, x []float32) { encodeLevels(dst, x, -127, 127, 0) },
			func(dst []uint8, x []float32) { limitedLevelsGeneric(dst, x, -127, 127, 0) }},
		"neither": {func(dst []uint8, x []float32) { encodeLevels(dst, x, -100, 100, 50) },
			func(dst []uint8, x []float32) { limitedLevelsGeneric(dst, x, -100, 100, 50) }},
		"nibbles": {func(dst []uint8, x []float32) { joinNibbles(dst[:(len(x)+1)/2], nibblesOf(x), 16, 1) },
			func(dst []uint8, x []float32) { joinNibblesGeneric(dst[:(len(x)+1)/2], nibblesOf(x), 16, 1) }},
	}
	for _, group := range []int{1, 16, 24, 32, 64, 128} {
		scales, biases := make([]float32, most+1), make([]float32, most+1)
		for i := range scales {
			scales[i], biases[i] = float32(i%7)/3, float32(i%5)-2
		}
		name := fmt.Sprintf(" in groups of %d", group)
		in := func(f func(dst []uint8, x, scales []float32, group int)) func(dst []uint8, x []float32) {
			return func(dst []uint8, x []float32) { f(dst, x, scales[:(len(x)+group-1)/group], group) }
		}
		levels["nf4"+name] = [2]func([]uint8, []float32){in(nf4Levels), in(nf4LevelsGeneric)}
		levels["e2m1"+name] = [2]func([]uint8, []float32){in(e2m1Levels), in(e2m1LevelsGeneric)}
		levels["affine"+name] = [2]func([]uint8, []float32){
			in(func(dst []uint8, x, s []float32, group int) { affineLevels(dst, x, s, biases[:len(s)], group, 15) }),
			in(func(dst []uint8, x, s []float32, group int) {
				affineLevelsGeneric(dst, x, s, biases[:len(s)], group, 15)
			}),
		}
		levels["peaks"+name] = [2]func([]uint8, []float32){peakBytes(peakGroups, group), peakBytes(peakGroupsGeneric, group)}
	}
	eachImpl(t, func(t *testing.T) {
		for name, f := range levels {
			for n := range most {
				x := all[len(all)-n-n%5:][:n] // with what is special near the end
				got, want := make([]uint8, n+3)[n%3:][:n], make([]uint8, n)
				f[0](got, x)
				f[1](want, x)
				if !slices.Equal(got, want) {
					t.Fatalf("%s of %v = %v, want %v", name, x, got, want)
				}
			}
		}
		for n := range 40 {
			low, high := make([]float32, n), make([]float32, n)
			for i := range n {
				a, b := all[(7*i+n)%len(all)], all[(11*i+3)%len(all)]
				low[i], high[i] = min(a, b), max(a, b)
			}
			scales, biases := slices.Clone(low), slices.Clone(high)
			affineEnds(scales, biases, 15)
			affineEndsGeneric(low, high, 15)
			if bitsOf(scales) != bitsOf(low) || bitsOf(biases) != bitsOf(high) {
				t.Fatalf("affineEnds of %d groups = %v, %v, want %v, %v", n, scales, biases, low, high)
			}
		}
	})
}

// peakBytes is a way to compare the bits of peaks as if they were levels.
func peakBytes(f func(peaks, x []float32, group int), group int) func(dst []uint8, x []float32) {
	return func(dst []uint8, x []float32) {
		peaks := make([]float32, (len(x)+group-1)/group)
		f(peaks, x, group)
		for i, p := range peaks {
			b := math.Float32bits(p)
			dst[i] = uint8(b ^ b>>8 ^ b>>16 ^ b>>24)
		}
	}
}

func nibblesOf(x []float32) []uint8 {
	levels := make([]uint8, len(x))
	for i, v := range x {
		levels[i] = uint8(math.Float32bits(v)>>20) & 15
	}
	return levels
}

func bitsOf(x []float32) string {
	s := ""
	for _, v := range x {
		s += fmt.Sprintf("%08x ", math.Float32bits(v))
	}
	return s
}
