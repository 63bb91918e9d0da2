package shrink

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// encodeNF4 returns the tensors of a matrix in NF4, as bitsandbytes has them: with
// plain scales byte for byte.
func encodeNF4(name string, w weights, compute formats.DType, double bool) []*formats.Tensor {
	n := w.NumElements()
	blocks := (n + bnbBlock - 1) / bnbBlock
	state := &strictjson.Object{}
	state.Set("quant_type", "nf4")
	state.Set("blocksize", strictjson.Int(bnbBlock))
	state.Set("dtype", torchName(compute))
	state.Set("shape", strictjson.Array{strictjson.Int(w.Shape[0]), strictjson.Int(w.Shape[1])})
	out := []*formats.Tensor{
		tensor(name, formats.U8, &nf4Codes{w}, (n+1)/2, 1),
		constant(name+".quant_map", formats.F32, floatBytes(kernels.NF4Values[:]), 16),
	}
	if !double {
		return append(out,
			tensor(name+".absmax", formats.F32, &whole{w, func(ctx context.Context, dst []byte) error {
				return eachPeak(ctx, w, bnbBlock, func(at int, peaks []float32) { kernels.EncodeF32(dst[4*at:][:4*len(peaks)], peaks) })
			}}, blocks),
			constant(name+bnbState+"nf4", formats.U8, strictjson.Append(nil, state), len(strictjson.Append(nil, state))))
	}
	d := &doubled{w: w, blocks: blocks, state: state}
	// The offset is known only when the matrix has been read, but not how long its text
	// is: there is room for the longest, and spaces fill it.
	size := len(d.stateText(-1.17549435e-38)) + 8
	return append(out,
		tensor(name+".absmax", formats.U8, &whole{w, d.codes}, blocks),
		tensor(name+".nested_absmax", formats.F32, &whole{w, d.absmax}, (blocks+bnbNestedBlock-1)/bnbNestedBlock),
		constant(name+".nested_quant_map", formats.F32, floatBytes(dynamicMap()), 256),
		tensor(name+bnbState+"nf4", formats.U8, &whole{w, d.text}, size))
}

// torchName returns what torch calls a number format.
func torchName(d formats.DType) string {
	return map[formats.DType]string{formats.F32: "float32", formats.F16: "float16"}[d] + map[bool]string{true: "bfloat16"}[d == formats.BF16]
}

func floatBytes(x []float32) []byte {
	b := make([]byte, 4*len(x))
	kernels.EncodeF32(b, x)
	return b
}

// eachPeak calls f with the greatest magnitudes of the blocks of a matrix, many at a
// time; at is the first one's number.
func eachPeak(ctx context.Context, w weights, block int, f func(at int, peaks []float32)) error {
	return w.eachChunk(ctx, chunk, func(at int, x []float32) error {
		peaks := formats.BorrowFloats((len(x) + block - 1) / block)
		defer formats.ReturnFloats(peaks)
		kernels.PeakGroups(peaks, x, block)
		f(at/block, peaks)
		return nil
	})
}

// nf4Codes are rows of one byte, two elements of a matrix.
type nf4Codes struct{ w weights }

func (c *nf4Codes) Scratch(n int) int64 {
	rows := (2*n+2*bnbBlock)/max(1, c.w.NumCols()) + 2
	return c.w.scratch(rows) + 10*int64(n) + 16*bnbBlock
}

func (c *nf4Codes) ReadRows(ctx context.Context, dst []byte, lo, hi int) error {
	from := 2 * lo / bnbBlock * bnbBlock
	to := min((2*hi+bnbBlock-1)/bnbBlock*bnbBlock, c.w.NumElements())
	x, err := c.w.readFlat(ctx, from, to)
	if err != nil {
		return err
	}
	defer formats.ReturnFloats(x)
	peaks := formats.BorrowFloats((len(x) + bnbBlock - 1) / bnbBlock)
	defer formats.ReturnFloats(peaks)
	kernels.PeakGroups(peaks, x, bnbBlock)
	codes := formats.BorrowBytes((len(x) + 1) / 2)
	defer formats.ReturnBytes(codes)
	kernels.EncodeNF4(codes, x, peaks, bnbBlock)
	copy(dst, codes[lo-from/2:])
	return nil
}

// doubled quantizes the scales of a matrix:
//
//	offset = mean(absmax), a = absmax − offset
//	nested_absmax[j] = max |a| of 256 scales, code[i] = the value of the map nearest to a[i] / nested_absmax[i/256]
type doubled struct {
	w      weights
	blocks int
	state  *strictjson.Object

	mu     sync.Mutex
	known  bool
	offset float32
}

// mean returns the offset, which takes all of the matrix when it is first asked for.
func (d *doubled) mean(ctx context.Context) (float32, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known {
		return d.offset, nil
	}
	var sum float64
	err := eachPeak(ctx, d.w, bnbBlock, func(_ int, peaks []float32) {
		for _, p := range peaks {
			sum += float64(p)
		}
	})
	if err != nil {
		return 0, err
	}
	d.offset, d.known = float32(sum/float64(d.blocks)), true
	return d.offset, nil
}

// each calls f with the scales less their mean, 256 at a time, and their greatest
// magnitude.
func (d *doubled) each(ctx context.Context, f func(at int, a []float32, most float32)) error {
	offset, err := d.mean(ctx)
	if err != nil {
		return err
	}
	return eachPeak(ctx, d.w, bnbBlock, func(at int, peaks []float32) {
		for i := 0; i < len(peaks); i += bnbNestedBlock {
			a := peaks[i:min(i+bnbNestedBlock, len(peaks))]
			var most float32
			for j := range a {
				a[j] -= offset
				most = max(most, a[j], -a[j])
			}
			f(at+i, a, most)
		}
	})
}

func (d *doubled) absmax(ctx context.Context, dst []byte) error {
	return d.each(ctx, func(at int, _ []float32, most float32) {
		binary.LittleEndian.PutUint32(dst[4*(at/bnbNestedBlock):], math.Float32bits(most))
	})
}

func (d *doubled) codes(ctx context.Context, dst []byte) error {
	table := dynamicMap()
	return d.each(ctx, func(at int, a []float32, most float32) {
		for i, v := range a {
			if most != 0 {
				v /= most
			}
			dst[at+i] = nearest(table, v)
		}
	})
}

// nearest returns the index of the value of a sorted table that is nearest to v.
func nearest(table []float32, v float32) uint8 {
	i := sort.Search(len(table), func(i int) bool { return table[i] >= v })
	if i == len(table) || i > 0 && v-table[i-1] < table[i]-v {
		i--
	}
	return uint8(i)
}

func (d *doubled) stateText(offset float32) []byte {
	o := &strictjson.Object{Members: slices.Clone(d.state.Members)}
	o.Set("nested_blocksize", strictjson.Int(bnbNestedBlock))
	o.Set("nested_dtype", "float32")
	o.Set("nested_offset", strictjson.Float(float64(offset)))
	return strictjson.Append(nil, o)
}

func (d *doubled) text(ctx context.Context, dst []byte) error {
	offset, err := d.mean(ctx)
	if err != nil {
		return err
	}
	for i := copy(dst, d.stateText(offset)); i < len(dst); i++ {
		dst[i] = ' '
	}
	return nil
}

// dynamicMap returns the values of bitsandbytes' signed "dynamic" codes, sorted: for each
// i below 7 the midpoints of 2^i equal parts of [0.1, 1], times 10^(i−6), with both signs,
// and 0 and 1. Dettmers et al., 8-bit Optimizers, https://arxiv.org/abs/2110.02861.
func dynamicMap() []float32 {
	values := []float64{0, 1}
	for i := range 7 {
		parts := 1 << i
		for j := range parts {
			mid := 0.1 + 0.9*(float64(j)+0.5)/float64(parts)
			mid *= math.Pow(10, float64(i-6))
			values = append(values, mid, -mid)
		}
	}
	slices.Sort(values)
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(v)
	}
	return out
}

// encodeInt8 returns the tensors of a matrix for LLM.int8: code = round(w · (127/SCB)).
func encodeInt8(module string, w weights) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	return []*formats.Tensor{
		tensor(module+".weight", formats.I8, &coded{w, 1, func(dst []byte, x []float32) {
			peaks := formats.BorrowFloats(len(x) / k)
			defer formats.ReturnFloats(peaks)
			kernels.PeakGroups(peaks, x, k)
			for i, p := range peaks {
				if p != 0 {
					kernels.Scale(x[i*k:(i+1)*k], 127/p)
				}
			}
			kernels.EncodeLevels(dst, x, -127, 127, 0)
		}}, n, k),
		tensor(module+".SCB", formats.F32, &whole{w, func(ctx context.Context, dst []byte) error {
			step := max(1, chunk/k) * k
			return w.eachChunk(ctx, step, func(at int, x []float32) error {
				peaks := formats.BorrowFloats(len(x) / k)
				defer formats.ReturnFloats(peaks)
				kernels.PeakGroups(peaks, x, k)
				kernels.EncodeF32(dst[4*(at/k):][:4*len(peaks)], peaks)
				return nil
			})
		}}, n),
		constant(module+".weight_format", formats.U8, []byte{0}),
	}
}
