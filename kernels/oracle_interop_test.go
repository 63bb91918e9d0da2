//go:build interop

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// These tests compare the block quantizers with a libggml-base.so on fresh random
// weights. They need LORATOOL_PYTHON, a Python interpreter, and LORATOOL_GGML, the
// path of that library as built for x86-64. LORATOOL_INTEROP_WEIGHTS is the number
// of weights of each type, in millions (1 unless set).

// ggmlTypes are the numbers of enum ggml_type.
var ggmlTypes = map[string]int{
	"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "q2_K": 10, "q3_K": 11, "q4_K": 12, "q5_K": 13,
	"q6_K": 14, "iq4_nl": 20, "iq4_xs": 23,
	"iq2_xxs": 16, "iq2_xs": 17, "iq3_xxs": 18, "iq1_s": 19, "iq3_s": 21, "iq2_s": 22, "iq1_m": 29,
	"tq1_0": 34, "tq2_0": 35, "mxfp4": 39, "nvfp4": 40, "q1_0": 41, "q2_0": 42,
}

// oracle runs testdata/interop/ggml_oracle.py.
func oracle(t testing.TB, command, typeName string, args ...string) []byte {
	t.Helper()
	python, lib := os.Getenv("LORATOOL_PYTHON"), os.Getenv("LORATOOL_GGML")
	if python == "" || lib == "" {
		t.Fatal("LORATOOL_PYTHON and LORATOOL_GGML must be set")
	}
	number, ok := ggmlTypes[typeName]
	if !ok {
		t.Fatalf("no number of type %s", typeName)
	}
	args = append([]string{"../testdata/interop/ggml_oracle.py", lib, command, strconv.Itoa(number)}, args...)
	out, err := exec.Command(python, args...).Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			err = fmt.Errorf("%w\n%s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	return out
}

// weightKinds are distributions of weights, from the usual to the awkward.
var weightKinds = []struct {
	name string
	fill func(r *rand.Rand, row []float32)
}{
	{"normal", func(r *rand.Rand, row []float32) { fillScaled(r, row, 0.02) }},
	{"wide", func(r *rand.Rand, row []float32) { fillScaled(r, row, float32(math.Exp(4*r.NormFloat64()))) }},
	{"tiny", func(r *rand.Rand, row []float32) { fillScaled(r, row, float32(math.Exp(-20-60*r.Float64()))) }},
	{"large", func(r *rand.Rand, row []float32) { fillScaled(r, row, float32(math.Exp(9*r.Float64()))) }},
	{"heavy", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = float32(0.01 * r.NormFloat64() / math.Sqrt(r.ExpFloat64()+1e-9))
		}
	}},
	{"outliers", func(r *rand.Rand, row []float32) {
		fillScaled(r, row, 0.02)
		for range len(row) / 100 {
			row[r.IntN(len(row))] *= 100
		}
	}},
	{"positive", func(r *rand.Rand, row []float32) {
		sign := float32(1 - 2*r.IntN(2))
		for i := range row {
			row[i] = sign * float32(math.Abs(r.NormFloat64())) * 0.03
		}
	}},
	{"offset", func(r *rand.Rand, row []float32) {
		c := float32(r.NormFloat64())
		for i := range row {
			row[i] = c + 0.001*float32(r.NormFloat64())
		}
	}},
	{"sparse", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = 0
			if r.IntN(20) == 0 {
				row[i] = 0.02 * float32(r.NormFloat64())
			}
		}
	}},
	{"constant blocks", func(r *rand.Rand, row []float32) {
		for i := range row {
			if i%16 == 0 {
				row[i] = 0.1 * float32(r.IntN(5)-2)
			} else {
				row[i] = row[i-1]
			}
		}
	}},
	{"integers", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = float32(r.IntN(17)-8) * 0.25
		}
	}},
	{"float16", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = halfValue(halfBits(0.02 * float32(r.NormFloat64())))
		}
	}},
}

func fillScaled(r *rand.Rand, row []float32, scale float32) {
	for i := range row {
		row[i] = scale * float32(r.NormFloat64())
	}
}

func TestOracleQuantize(t *testing.T) {
	const cols = 2048
	millions, _ := strconv.Atoi(os.Getenv("LORATOOL_INTEROP_WEIGHTS"))
	rows := max(millions, 1) * 1000000 / cols
	dir := t.TempDir()
	in, weightsFile, out := filepath.Join(dir, "in"), filepath.Join(dir, "weights"), filepath.Join(dir, "out")
	seed := rand.Uint64()
	t.Logf("seed %d, %d weights", seed, rows*cols)
	r := newRand(seed)
	src := make([]float32, rows*cols)
	for i := range rows {
		weightKinds[i%len(weightKinds)].fill(r, src[i*cols:][:cols])
	}
	weights := make([]float32, cols)
	for i := range weights {
		u := r.Float32()
		weights[i] = u*u + 1e-3
		if i%7 == 0 || i%512 > 470 {
			weights[i] = 0 // a channel that is always zero
		}
		if i/256%4 == 3 { // columns that never see an activation
			weights[i] = 0
		}
	}
	writeFile(t, in, encodeFloats(src))
	writeFile(t, weightsFile, encodeFloats(weights))
	for _, bt := range blockTypes {
		for _, weighted := range []bool{false, true} {
			if needsWeights[bt.name] && !weighted {
				continue
			}
			name, w, args := bt.name, []float32(nil), []string{strconv.Itoa(cols), in, out}
			if weighted {
				name, w, args = name+" weighted", weights, append(args, weightsFile)
			}
			t.Run(name, func(t *testing.T) {
				oracle(t, "quantize", bt.name, args...)
				want, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(want))
				bt.quantize(got, src, cols, w)
				requireSameBlocks(t, name, got, want, src, cols, &bt)
			})
		}
	}
}

// TestOracleDequantize compares the values of random blocks. The kind of a NaN does
// not count.
func TestOracleDequantize(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	r := newRand(rand.Uint64())
	for _, bt := range blockTypes {
		t.Run(bt.name, func(t *testing.T) {
			src := make([]byte, 20000*bt.blockSize)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			writeFile(t, in, src)
			oracle(t, "dequantize", bt.name, in, out)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want := decodeFloats(b)
			got := make([]float32, len(want))
			bt.dequantize(got, src)
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
					block := i / bt.blockLen
					t.Fatalf("value %d of block %x = %v, want %v", i%bt.blockLen, src[block*bt.blockSize:][:bt.blockSize], got[i], want[i])
				}
			}
		})
	}
}

func writeFile(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
}
