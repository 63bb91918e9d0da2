package kernels

import (
	"bytes"
	"math"
	"os"
	"testing"
)

// TestEncodeEveryFloat32 encodes all 2³² float32 to the formats that have assembly
// for that, and compares with the generic code. It takes minutes, and runs if
// LORATOOL_TEST_LONG is set.
func TestEncodeEveryFloat32(t *testing.T) {
	if os.Getenv("LORATOOL_TEST_LONG") == "" {
		t.Skip("LORATOOL_TEST_LONG is not set")
	}
	const part = 1 << 16
	x, got, want := make([]float32, part), make([]byte, 2*part), make([]byte, 2*part)
	for _, f := range []struct {
		name            string
		size            int
		encode, generic func([]byte, []float32)
	}{
		{"F16", 2, EncodeF16, encodeF16Generic},
		{"BF16", 2, EncodeBF16, encodeBF16Generic},
		{"F8_E4M3", 1, EncodeF8E4M3, encodeF8E4M3Generic},
	} {
		got, want := got[:f.size*part], want[:f.size*part]
		for first := uint64(0); first < 1<<32; first += part {
			for i := range x {
				x[i] = math.Float32frombits(uint32(first) + uint32(i))
			}
			f.generic(want, x)
			eachAvailable(t, func(name string) {
				if f.encode(got, x); !bytes.Equal(got, want) {
					t.Fatalf("%s: %s differs among the %d numbers from %#08x on", name, f.name, part, first)
				}
			})
		}
	}
}
