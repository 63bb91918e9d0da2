package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// blockFills are rows that reach the special cases of the quantizers.
var blockFills = []struct {
	name string
	fill func(r *rand.Rand, row []float32)
}{
	{"normal", fillNormal},
	{"anything", fillRandom},
	{"zeros", func(_ *rand.Rand, row []float32) { clear(row) }},
	{"zeros of both signs", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = float32(math.Copysign(0, float64(r.IntN(2))-0.5))
		}
	}},
	{"sparse", func(r *rand.Rand, row []float32) {
		clear(row)
		for range len(row) / 20 {
			row[r.IntN(len(row))] = float32(r.NormFloat64())
		}
	}},
	{"constant sub-blocks", func(r *rand.Rand, row []float32) {
		for i := range row {
			if i%16 == 0 {
				row[i] = float32(r.IntN(5) - 2)
			} else {
				row[i] = row[i-1]
			}
		}
	}},
	{"uneven sub-blocks", func(r *rand.Rand, row []float32) {
		var scale float32
		for i := range row {
			if i%16 == 0 {
				scale = specials[r.IntN(len(specials))]
			}
			row[i] = scale * float32(r.NormFloat64())
		}
	}},
	{"one special value", func(r *rand.Rand, row []float32) {
		fillNormal(r, row)
		row[r.IntN(len(row))] = specials[r.IntN(len(specials))]
	}},
	{"subnormal", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = 1e-40 * float32(r.NormFloat64())
		}
	}},
	{"near the tiny limit", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = 1e-15 * float32(r.NormFloat64())
		}
	}},
	{"huge", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = 1e13 * float32(r.NormFloat64())
		}
	}},
	{"small integers", func(r *rand.Rand, row []float32) {
		for i := range row {
			row[i] = float32(r.IntN(9) - 4)
		}
	}},
}

// quantizeGeneric returns what the generic code makes of src.
func (bt *blockType) quantizeGeneric(src []float32, rowLen int, weights []float32) []byte {
	before := Implementations()
	defer Use(before...)
	Use()
	dst := make([]byte, len(src)/bt.blockLen*bt.blockSize)
	bt.quantize(dst, src, rowLen, weights)
	return dst
}

// TestQuantizeImplementations checks that all implementations give the same bytes,
// whatever is in the rows and however many there are.
func TestQuantizeImplementations(t *testing.T) {
	for _, bt := range blockTypes {
		t.Run(bt.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				r := newRand(7)
				for blocks := 1; blocks <= 40; blocks++ {
					for _, perRow := range []int{1, 3, blocks} {
						if blocks%perRow != 0 {
							continue
						}
						fill := blockFills[r.IntN(len(blockFills))]
						rowLen := perRow * bt.blockLen
						src := make([]float32, blocks*bt.blockLen)
						for i := 0; i < len(src); i += bt.blockLen {
							if r.IntN(4) == 0 {
								fill = blockFills[r.IntN(len(blockFills))]
							}
							fill.fill(r, src[i:][:bt.blockLen])
						}
						for _, weights := range [][]float32{nil, randomWeights(r, rowLen)} {
							if weights == nil && needsWeights[bt.name] {
								continue
							}
							name := fmt.Sprintf("%d blocks, %d a row, weighted %t, %s", blocks, perRow, weights != nil, fill.name)
							want := bt.quantizeGeneric(src, rowLen, weights)
							got := make([]byte, len(want)+8)
							bt.quantize(got[:len(want)], src, rowLen, weights)
							requireSameBlocks(t, name, got[:len(want)], want, src, rowLen, &bt)
							if [8]byte(got[len(want):]) != [8]byte{} {
								t.Fatalf("%s: wrote behind the blocks", name)
							}
							values := make([]float32, len(src))
							bt.dequantize(values, got[:len(want)])
							if i := firstDifference(values, bt.dequantizeGeneric(want)); i >= 0 {
								t.Fatalf("%s: dequantized value %d is %v, not that of the generic code", name, i, values[i])
							}
						}
					}
				}
			})
		})
	}
}

// TestDequantizeImplementations checks that all implementations give the same values of
// blocks of random bytes, the kind of a NaN aside.
func TestDequantizeImplementations(t *testing.T) {
	for _, bt := range blockTypes {
		t.Run(bt.name, func(t *testing.T) {
			eachImpl(t, func(t *testing.T) {
				r := newRand(8)
				for blocks := range 40 {
					src := make([]byte, blocks*bt.blockSize)
					for i := range src {
						src[i] = byte(r.Uint32())
					}
					want := bt.dequantizeGeneric(src)
					got := make([]float32, len(want)+4)
					bt.dequantize(got[:len(want)], src)
					for i, v := range want {
						if math.Float32bits(got[i]) != math.Float32bits(v) && !(got[i] != got[i] && v != v) {
							t.Fatalf("value %d of %d blocks is %v, want %v", i, blocks, got[i], v)
						}
					}
					if [4]float32(got[len(want):]) != [4]float32{} {
						t.Fatalf("wrote behind the values of %d blocks", blocks)
					}
				}
			})
		})
	}
}

// randomWeights are positive, with zeros among them.
func randomWeights(r *rand.Rand, n int) []float32 {
	w := make([]float32, n)
	zeros := r.IntN(3) == 0
	for i := range w {
		if !zeros || i/16%3 != 0 {
			w[i] = float32(r.ExpFloat64())
		}
	}
	return w
}

// dequantizeGeneric returns what the generic code makes of src.
func (bt *blockType) dequantizeGeneric(src []byte) []float32 {
	before := Implementations()
	defer Use(before...)
	Use()
	dst := make([]float32, len(src)/bt.blockSize*bt.blockLen)
	bt.dequantize(dst, src)
	return dst
}

func FuzzQuantize(f *testing.F) {
	for i := range blockFills {
		f.Add(uint64(i), uint8(i), uint8(3+i), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, typeIndex, blocks uint8, weighted bool) {
		bt := blockTypes[int(typeIndex)%len(blockTypes)]
		r := newRand(seed)
		src := make([]float32, (1+int(blocks)%40)*bt.blockLen)
		for i := 0; i < len(src); i += bt.blockLen {
			blockFills[r.IntN(len(blockFills))].fill(r, src[i:][:bt.blockLen])
		}
		var weights []float32
		if weighted || needsWeights[bt.name] {
			weights = randomWeights(r, len(src))
		}
		want := bt.quantizeGeneric(src, len(src), weights)
		before := Implementations()
		defer Use(before...)
		for _, name := range before {
			Use(name)
			got := make([]byte, len(want))
			bt.quantize(got, src, len(src), weights)
			requireSameBlocks(t, bt.name+" "+name, got, want, src, len(src), &bt)
		}
	})
}
