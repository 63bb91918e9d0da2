package gguf

import "github.com/loratool/loratool/formats"

// dtypes are the number formats by the identifier that files use. The gaps are
// formats that llama.cpp once had (4, 5, 31–33, 36–38), which no version reads.
var dtypes = [...]formats.DType{
	0:  formats.F32,
	1:  formats.F16,
	2:  formats.Q4_0,
	3:  formats.Q4_1,
	6:  formats.Q5_0,
	7:  formats.Q5_1,
	8:  formats.Q8_0,
	9:  formats.Q8_1,
	10: formats.Q2_K,
	11: formats.Q3_K,
	12: formats.Q4_K,
	13: formats.Q5_K,
	14: formats.Q6_K,
	15: formats.Q8_K,
	16: formats.IQ2_XXS,
	17: formats.IQ2_XS,
	18: formats.IQ3_XXS,
	19: formats.IQ1_S,
	20: formats.IQ4_NL,
	21: formats.IQ3_S,
	22: formats.IQ2_S,
	23: formats.IQ4_XS,
	24: formats.I8,
	25: formats.I16,
	26: formats.I32,
	27: formats.I64,
	28: formats.F64,
	29: formats.IQ1_M,
	30: formats.BF16,
	34: formats.TQ1_0,
	35: formats.TQ2_0,
	39: formats.MXFP4,
	40: formats.NVFP4,
	41: formats.Q1_0,
	42: formats.Q2_0,
}

// dtypeID returns the identifier of a number format.
func dtypeID(d formats.DType) (id uint32, ok bool) {
	for id, other := range dtypes {
		if other == d && d != formats.Invalid {
			return uint32(id), true
		}
	}
	return 0, false
}
