package kernels

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

func typeNamed(t *testing.T, name string) *blockType {
	t.Helper()
	for i := range blockTypes {
		if blockTypes[i].name == name {
			return &blockTypes[i]
		}
	}
	t.Fatalf("no block type %s", name)
	return nil
}

func TestQuantizePanicsWithoutWeights(t *testing.T) {
	for name := range needsWeights {
		bt := typeNamed(t, name)
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.HasSuffix(s, "without weights") {
					t.Errorf("%s: panic %q, want one about weights", name, s)
				}
			}()
			bt.quantize(make([]byte, bt.blockSize), make([]float32, bt.blockLen), bt.blockLen, nil)
		}()
	}
}

// TestNonFiniteBlocks checks that the IQ quantizers store zeros for a block with a value
// that is not finite, or whose square is not, and that its neighbours don't mind.
func TestNonFiniteBlocks(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		for _, name := range []string{"iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs", "iq3_s"} {
			bt := typeNamed(t, name)
			src, weights := make([]float32, 3*superBlock), make([]float32, 3*superBlock)
			fillNormal(newRand(1), src)
			for i := range weights {
				weights[i] = 1
			}
			want := bt.quantizeGeneric(src, len(src), weights)
			clear(want[bt.blockSize : 2*bt.blockSize])
			for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e30} {
				src[superBlock+77] = v
				got := make([]byte, len(want))
				bt.quantize(got, src, len(src), weights)
				if !bytes.Equal(got, want) {
					t.Errorf("%s with %v among the values = %x, want %x", name, v, got, want)
				}
			}
		}
	})
}

// TestIQ3_SZeroSubBlock pins where codes and signs go behind 32 zeros: into their place.
func TestIQ3_SZeroSubBlock(t *testing.T) {
	x := make([]float32, superBlock)
	fillNormal(newRand(1), x)
	got, want := make([]byte, BlockSizeIQ3_S), make([]byte, BlockSizeIQ3_S)
	QuantizeIQ3_S(want, x, superBlock, nil)
	clear(x[32*3 : 32*4])
	QuantizeIQ3_S(got, x, superBlock, nil)
	qs, signs := want[2:66], want[74:106]
	copy(qs[8*3:], qs[8*4:])
	copy(signs[4*3:], signs[4*4:])
	clear(qs[8*7:])
	clear(signs[4*7:])
	want[66+3] = 0     // no high bits
	want[106+1] &= 0xf // no scale
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// TestSplitNearTies quantizes values between whose splits there is next to no difference:
// there the order of the candidates and every rounding count.
func TestSplitNearTies(t *testing.T) {
	eachImpl(t, func(t *testing.T) {
		r := newRand(1)
		src, weights := make([]float32, 4*superBlock), make([]float32, 4*superBlock)
		for i := range 400 {
			spread := math.Pow(2, -1-float64(i%25))
			scale := math.Pow(2, float64(r.IntN(60)-50))
			for i := range src {
				level := float64(r.IntN(3)-1) + spread*r.NormFloat64()
				src[i] = float32(scale * level)
				weights[i] = float32(1 + spread*r.Float64())
			}
			for _, name := range []string{"iq1_s", "iq1_m"} {
				bt := typeNamed(t, name)
				got := make([]byte, 4*bt.blockSize)
				bt.quantize(got, src, len(src), weights)
				requireSameBlocks(t, fmt.Sprintf("%s, spread %g", name, spread), got, bt.quantizeGeneric(src, len(src), weights), src, len(src), bt)
			}
		}
	})
}
