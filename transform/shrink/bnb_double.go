package shrink

import (
	"math"
	"slices"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// doubled is a matrix in NF4 with scales that are quantized themselves:
//
//	offset = mean(absmax), a = absmax − offset
//	nested_absmax[j] = max |a| of 256 scales, code[i] = the value of the map nearest to a[i] / nested_absmax[i/256]
type doubled struct {
	*pass
	state *strictjson.Object
	table *[256]float32

	sum    float64 // of absmax, once it is found
	blocks int
}

func (d *doubled) offset() float32 { return float32(d.sum / float64(d.blocks)) }

// encodeDoubleNF4 returns the tensors of a matrix in NF4 with double quantization.
func encodeDoubleNF4(name string, w weights, compute formats.DType) []*formats.Tensor {
	d := &doubled{state: nf4State(w, compute), table: (*[256]float32)(dynamicMap())}
	d.pass = newPass(bnbBlock, func(x []float32) []float32 {
		peaks := formats.BorrowFloats((len(x) + bnbBlock - 1) / bnbBlock)
		kernels.PeakGroups(peaks, x, bnbBlock)
		return peaks
	}, func(peaks []float32) {
		for _, p := range peaks {
			d.sum += float64(p)
		}
		d.blocks += len(peaks)
	}, w)
	n := w.NumElements()
	blocks := (n + bnbBlock - 1) / bnbBlock
	const piece = bnbBlock * bnbNestedBlock
	made := (&encoded{from: w, piece: piece, encode: d.encode, needs: d.pass}).tensors(
		part(name, formats.U8, piece/2, (n+1)/2, 1),
		part(name+".absmax", formats.U8, bnbNestedBlock, blocks),
		part(name+".nested_absmax", formats.F32, 4, (blocks+bnbNestedBlock-1)/bnbNestedBlock))
	// The offset is known only when the matrix has been read, but not how long its text
	// is: there is room for the longest, and spaces fill it.
	size := len(d.stateText(-1.17549435e-38)) + 8
	return append(made,
		constant(name+".nested_quant_map", formats.F32, floatBytes(d.table[:]), len(d.table)),
		constant(name+".quant_map", formats.F32, floatBytes(kernels.NF4Values[:]), 16),
		tensor(name+bnbState+"nf4", formats.U8, &found{d.pass, d.text}, size))
}

func (d *doubled) encode(dst [][]byte, x []float32) {
	peaks, offset := nf4(dst[0], x), d.offset()
	defer formats.ReturnFloats(peaks)
	for j := 0; j*bnbNestedBlock < len(peaks); j++ {
		first := j * bnbNestedBlock
		a := peaks[first:min(first+bnbNestedBlock, len(peaks))]
		var most float32
		for i := range a {
			a[i] -= offset
			most = max(most, a[i], -a[i])
		}
		kernels.EncodeF32(dst[2][4*j:][:4], []float32{most})
		for i, v := range a {
			if most != 0 {
				v /= most
			}
			dst[1][first+i] = nearest(d.table, v)
		}
	}
}

// nearest returns the index of the value of a sorted table that is nearest to v, the
// greater of two.
func nearest(table *[256]float32, v float32) uint8 {
	i := 0 // how many are below v, but the last
	for step := 128; step > 0; step /= 2 {
		if table[i+step-1] < v {
			i += step
		}
	}
	if i > 0 && v-table[i-1] < table[i]-v {
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

func (d *doubled) text(dst []byte) {
	for i := copy(dst, d.stateText(d.offset())); i < len(dst); i++ {
		dst[i] = ' '
	}
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
