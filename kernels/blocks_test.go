package kernels

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A blockType is a block quantizer under test.
type blockType struct {
	name                string // as in testdata/ggml/manifest.json
	blockLen, blockSize int
	quantize            func(dst []byte, src []float32, rowLen int, weights []float32)
	dequantize          func(dst []float32, src []byte)
}

var blockTypes = []blockType{
	{"q4_0", BlockLenQ4_0, BlockSizeQ4_0, QuantizeQ4_0, DequantizeQ4_0},
	{"q4_1", BlockLenQ4_1, BlockSizeQ4_1, QuantizeQ4_1, DequantizeQ4_1},
	{"q5_0", BlockLenQ5_0, BlockSizeQ5_0, QuantizeQ5_0, DequantizeQ5_0},
	{"q5_1", BlockLenQ5_1, BlockSizeQ5_1, QuantizeQ5_1, DequantizeQ5_1},
	{"q8_0", BlockLenQ8_0, BlockSizeQ8_0, QuantizeQ8_0, DequantizeQ8_0},
	{"q2_K", BlockLenQ2_K, BlockSizeQ2_K, QuantizeQ2_K, DequantizeQ2_K},
	{"q3_K", BlockLenQ3_K, BlockSizeQ3_K, QuantizeQ3_K, DequantizeQ3_K},
	{"q4_K", BlockLenQ4_K, BlockSizeQ4_K, QuantizeQ4_K, DequantizeQ4_K},
	{"q5_K", BlockLenQ5_K, BlockSizeQ5_K, QuantizeQ5_K, DequantizeQ5_K},
	{"q6_K", BlockLenQ6_K, BlockSizeQ6_K, QuantizeQ6_K, DequantizeQ6_K},
	{"iq4_nl", BlockLenIQ4_NL, BlockSizeIQ4_NL, QuantizeIQ4_NL, DequantizeIQ4_NL},
	{"iq4_xs", BlockLenIQ4_XS, BlockSizeIQ4_XS, QuantizeIQ4_XS, DequantizeIQ4_XS},
	{"iq1_s", BlockLenIQ1_S, BlockSizeIQ1_S, QuantizeIQ1_S, DequantizeIQ1_S},
	{"iq1_m", BlockLenIQ1_M, BlockSizeIQ1_M, QuantizeIQ1_M, DequantizeIQ1_M},
	{"iq2_xxs", BlockLenIQ2_XXS, BlockSizeIQ2_XXS, QuantizeIQ2_XXS, DequantizeIQ2_XXS},
	{"iq2_xs", BlockLenIQ2_XS, BlockSizeIQ2_XS, QuantizeIQ2_XS, DequantizeIQ2_XS},
	{"iq2_s", BlockLenIQ2_S, BlockSizeIQ2_S, QuantizeIQ2_S, DequantizeIQ2_S},
	{"iq3_xxs", BlockLenIQ3_XXS, BlockSizeIQ3_XXS, QuantizeIQ3_XXS, DequantizeIQ3_XXS},
	{"iq3_s", BlockLenIQ3_S, BlockSizeIQ3_S, QuantizeIQ3_S, DequantizeIQ3_S},
	{"tq1_0", BlockLenTQ1_0, BlockSizeTQ1_0, QuantizeTQ1_0, DequantizeTQ1_0},
	{"tq2_0", BlockLenTQ2_0, BlockSizeTQ2_0, QuantizeTQ2_0, DequantizeTQ2_0},
	{"mxfp4", BlockLenMXFP4, BlockSizeMXFP4, QuantizeMXFP4, DequantizeMXFP4},
	{"nvfp4", BlockLenNVFP4, BlockSizeNVFP4, QuantizeNVFP4, DequantizeNVFP4},
	{"q1_0", BlockLenQ1_0, BlockSizeQ1_0, QuantizeQ1_0, DequantizeQ1_0},
	{"q2_0", BlockLenQ2_0, BlockSizeQ2_0, QuantizeQ2_0, DequantizeQ2_0},
}

// needsWeights says of which types there is no quantizing without weights.
var needsWeights = map[string]bool{"iq1_s": true, "iq2_xxs": true, "iq2_xs": true}

// ggmlGoldens is testdata/ggml/manifest.json; testdata/README.md says how it was made.
type ggmlGoldens struct {
	Rows, Cols int
	Cases      []struct {
		Type              string
		Imatrix           bool
		File              string
		DequantizedSHA256 string `json:"dequantized_f32_sha256"`
	}
	input, weights []float32
}

const ggmlDir = "../testdata/ggml"

func readGolden(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(ggmlDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func loadGoldens(t *testing.T) *ggmlGoldens {
	t.Helper()
	g := new(ggmlGoldens)
	if err := json.Unmarshal(readGolden(t, "manifest.json"), g); err != nil {
		t.Fatal(err)
	}
	g.input = decodeFloats(readGolden(t, "input.f32"))
	g.weights = decodeFloats(readGolden(t, "imatrix.f32"))
	return g
}

// TestGoldens checks each quantizer against the reference's bytes.
func TestGoldens(t *testing.T) {
	g := loadGoldens(t)
	for _, bt := range blockTypes {
		t.Run(bt.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				found := 0
				for _, c := range g.Cases {
					if c.Type != bt.name {
						continue
					}
					found++
					var weights []float32
					if c.Imatrix {
						weights = g.weights
					}
					want := readGolden(t, c.File)
					got := make([]byte, len(g.input)/bt.blockLen*bt.blockSize)
					bt.quantize(got, g.input, g.Cols, weights)
					requireSameBlocks(t, c.File, got, want, g.input, g.Cols, &bt)
					values := make([]float32, len(g.input))
					bt.dequantize(values, want)
					sum := sha256.Sum256(encodeFloats(values))
					if hex.EncodeToString(sum[:]) != c.DequantizedSHA256 {
						t.Errorf("%s: dequantized values differ from the reference's", c.File)
					}
				}
				if found == 0 {
					t.Errorf("no golden of type %s", bt.name)
				}
			})
		})
	}
}

// requireSameBlocks fails the test at the first block that differs.
func requireSameBlocks(t *testing.T, what string, got, want []byte, src []float32, rowLen int, bt *blockType) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d bytes, want %d", what, len(got), len(want))
	}
	different, first := 0, -1
	for i := 0; i < len(got); i += bt.blockSize {
		if !bytes.Equal(got[i:i+bt.blockSize], want[i:i+bt.blockSize]) {
			if different++; first < 0 {
				first = i / bt.blockSize
			}
		}
	}
	n := first * bt.blockLen
	t.Fatalf("%s: %d of %d blocks differ, first block %d (row %d, column %d):\n got %x\nwant %x\nfrom %v", what,
		different, len(got)/bt.blockSize, first, n/rowLen, n%rowLen,
		got[first*bt.blockSize:][:bt.blockSize], want[first*bt.blockSize:][:bt.blockSize], src[n:n+bt.blockLen])
}

func decodeFloats(b []byte) []float32 {
	f := make([]float32, len(b)/4)
	for i := range f {
		f[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return f
}

func encodeFloats(f []float32) []byte {
	b := make([]byte, 0, 4*len(f))
	for _, v := range f {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func TestQuantizePanics(t *testing.T) {
	for _, bt := range blockTypes {
		for what, f := range map[string]func(){
			"rowLen 1":   func() { bt.quantize(nil, nil, 1, nil) },
			"half a row": func() { bt.quantize(make([]byte, bt.blockSize), make([]float32, bt.blockLen), 2*bt.blockLen, nil) },
			"short dst":  func() { bt.quantize(make([]byte, 1), make([]float32, bt.blockLen), bt.blockLen, nil) },
			"few weights": func() {
				bt.quantize(make([]byte, bt.blockSize), make([]float32, bt.blockLen), bt.blockLen, make([]float32, 1))
			},
			"part of a block":  func() { bt.dequantize(make([]float32, bt.blockLen), make([]byte, bt.blockSize-1)) },
			"part of a result": func() { bt.dequantize(make([]float32, bt.blockLen-1), make([]byte, bt.blockSize)) },
		} {
			func() {
				defer func() {
					s, _ := recover().(string)
					if !strings.HasPrefix(s, "kernels: ") {
						t.Errorf("%s, %s: panic %q, want one of this package", bt.name, what, s)
					}
				}()
				f()
			}()
		}
	}
}

// TestBlocksAllocate checks that the block quantizers leave the heap alone.
func TestBlocksAllocate(t *testing.T) {
	r := newRand(1)
	for _, bt := range blockTypes {
		t.Run(bt.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				src := make([]float32, 20*bt.blockLen)
				fillNormal(r, src)
				dst := make([]byte, 20*bt.blockSize)
				weights := randomWeights(r, len(src))
				bt.quantize(dst, src, len(src), weights) // may prepare tables, once
				if n := testing.AllocsPerRun(2, func() {
					bt.quantize(dst, src, len(src), weights)
					bt.dequantize(src, dst)
				}); n != 0 {
					t.Errorf("%v allocations, want none", n)
				}
			})
		})
	}
}
