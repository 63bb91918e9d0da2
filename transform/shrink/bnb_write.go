package shrink

import (
	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// encodeNF4 returns the tensors of a matrix in NF4 with plain scales: the bytes of
// bitsandbytes.
func encodeNF4(name string, w weights, compute formats.DType) []*formats.Tensor {
	n := w.NumElements()
	state := strictjson.Append(nil, nf4State(w, compute))
	made := w.encoded(bnbBlock, 0, func(dst [][]byte, x []float32) {
		peaks := nf4(dst[0], x)
		defer formats.ReturnFloats(peaks)
		kernels.EncodeF32(dst[1], peaks)
	},
		part(name, formats.U8, bnbBlock/2, (n+1)/2, 1),
		part(name+".absmax", formats.F32, 4, (n+bnbBlock-1)/bnbBlock))
	return append(made,
		constant(name+".quant_map", formats.F32, floatBytes(kernels.NF4Values[:]), 16),
		constant(name+bnbState+"nf4", formats.U8, state, len(state)))
}

// nf4 makes codes, and returns the scales of their blocks, borrowed.
func nf4(codes []byte, x []float32) []float32 {
	peaks := formats.BorrowFloats((len(x) + bnbBlock - 1) / bnbBlock)
	kernels.PeakGroups(peaks, x, bnbBlock)
	kernels.EncodeNF4(codes, x, peaks, bnbBlock)
	return peaks
}

// nf4State returns what bitsandbytes wants to know of a matrix.
func nf4State(w weights, compute formats.DType) *strictjson.Object {
	return object("quant_type", "nf4", "blocksize", bnbBlock, "dtype", torchName(compute),
		"shape", strictjson.Array{strictjson.Int(w.Shape[0]), strictjson.Int(w.Shape[1])})
}

// torchName returns what torch calls a number format.
func torchName(d formats.DType) string {
	switch d {
	case formats.F32:
		return "float32"
	case formats.F16:
		return "float16"
	}
	return "bfloat16"
}

func floatBytes(x []float32) []byte {
	b := make([]byte, 4*len(x))
	kernels.EncodeF32(b, x)
	return b
}

// encodeInt8 returns the tensors of a matrix for LLM.int8: code = round(w · (127/SCB)).
func encodeInt8(module string, w weights) []*formats.Tensor {
	n, k := w.Shape[0], w.Shape[1]
	made := w.encoded(k, 0, func(dst [][]byte, x []float32) {
		peaks := formats.BorrowFloats(len(x) / k)
		defer formats.ReturnFloats(peaks)
		kernels.PeakGroups(peaks, x, k)
		kernels.EncodeF32(dst[1], peaks)
		for i, p := range peaks {
			if p != 0 {
				kernels.Scale(x[i*k:(i+1)*k], 127/p)
			}
		}
		kernels.EncodeLevels(dst[0], x, -127, 127, 0)
	},
		part(module+".weight", formats.I8, k, n, k),
		part(module+".SCB", formats.F32, 4, n))
	return append(made, constant(module+".weight_format", formats.U8, []byte{0}))
}
