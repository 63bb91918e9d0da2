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
		"nf4": {func(dst []uint8, x []float32) { nf4Levels(dst, x, 1) }, func(dst []uint8, x []float32) { nf4LevelsGeneric(dst, x, 1) }},
		"e2m1": {func(dst []uint8, x []float32) { e2m1Levels(dst, x, 0.25) },
			func(dst []uint8, x []float32) { e2m1LevelsGeneric(dst, x, 0.25) }},
		"affine": {func(dst []uint8, x []float32) { affineLevels(dst, x, -0.3, 2, 15) },
			func(dst []uint8, x []float32) { affineLevelsGeneric(dst, x, -0.3, 2, 15) }},
		"limited": {func(dst []uint8, x []float32) { encodeLevels(dst, x, -8, 7, 8) },
			func(dst []uint8, x []float32) { limitedLevelsGeneric(dst, x, -8, 7, 8) }},
		"nibbles": {func(dst []uint8, x []float32) { joinNibbles(dst[:(len(x)+1)/2], nibblesOf(x), 16, 1) },
			func(dst []uint8, x []float32) { joinNibblesGeneric(dst[:(len(x)+1)/2], nibblesOf(x), 16, 1) }},
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
