package formats

import "github.com/loratool/loratool/kernels"

// decoders convert whole blocks to float32, encoders float32 to whole blocks, and
// quantizers rows of float32 to blocks that fit them best. A new number format
// gets its line here.
var (
	decoders = [numDTypes]func(dst []float32, src []byte){
		Bool:        kernels.DecodeBool,
		F4:          kernels.DecodeF4,
		U8:          kernels.DecodeU8,
		I8:          kernels.DecodeI8,
		F8_E5M2:     kernels.DecodeF8E5M2,
		F8_E4M3:     kernels.DecodeF8E4M3,
		F8_E8M0:     kernels.DecodeF8E8M0,
		F8_E4M3FNUZ: kernels.DecodeF8E4M3FNUZ,
		F8_E5M2FNUZ: kernels.DecodeF8E5M2FNUZ,
		I16:         kernels.DecodeI16,
		U16:         kernels.DecodeU16,
		F16:         kernels.DecodeF16,
		BF16:        kernels.DecodeBF16,
		I32:         kernels.DecodeI32,
		U32:         kernels.DecodeU32,
		F32:         kernels.DecodeF32,
		F64:         kernels.DecodeF64,
		I64:         kernels.DecodeI64,
		U64:         kernels.DecodeU64,

		Q4_0:    kernels.DequantizeQ4_0,
		Q4_1:    kernels.DequantizeQ4_1,
		Q5_0:    kernels.DequantizeQ5_0,
		Q5_1:    kernels.DequantizeQ5_1,
		Q8_0:    kernels.DequantizeQ8_0,
		Q8_1:    kernels.DequantizeQ8_1,
		Q2_K:    kernels.DequantizeQ2_K,
		Q3_K:    kernels.DequantizeQ3_K,
		Q4_K:    kernels.DequantizeQ4_K,
		Q5_K:    kernels.DequantizeQ5_K,
		Q6_K:    kernels.DequantizeQ6_K,
		Q8_K:    kernels.DequantizeQ8_K,
		IQ2_XXS: kernels.DequantizeIQ2_XXS,
		IQ2_XS:  kernels.DequantizeIQ2_XS,
		IQ3_XXS: kernels.DequantizeIQ3_XXS,
		IQ1_S:   kernels.DequantizeIQ1_S,
		IQ4_NL:  kernels.DequantizeIQ4_NL,
		IQ3_S:   kernels.DequantizeIQ3_S,
		IQ2_S:   kernels.DequantizeIQ2_S,
		IQ4_XS:  kernels.DequantizeIQ4_XS,
		IQ1_M:   kernels.DequantizeIQ1_M,
		TQ1_0:   kernels.DequantizeTQ1_0,
		TQ2_0:   kernels.DequantizeTQ2_0,
		MXFP4:   kernels.DequantizeMXFP4,
		NVFP4:   kernels.DequantizeNVFP4,
		Q1_0:    kernels.DequantizeQ1_0,
		Q2_0:    kernels.DequantizeQ2_0,
	}
	encoders = [numDTypes]func(dst []byte, src []float32){
		F8_E5M2: kernels.EncodeF8E5M2,
		F8_E4M3: kernels.EncodeF8E4M3,
		F16:     kernels.EncodeF16,
		BF16:    kernels.EncodeBF16,
		F32:     kernels.EncodeF32,
		F64:     kernels.EncodeF64,
	}
	quantizers = [numDTypes]func(dst []byte, src []float32, rowLen int, weights []float32){
		Q4_0:    kernels.QuantizeQ4_0,
		Q4_1:    kernels.QuantizeQ4_1,
		Q5_0:    kernels.QuantizeQ5_0,
		Q5_1:    kernels.QuantizeQ5_1,
		Q8_0:    kernels.QuantizeQ8_0,
		Q2_K:    kernels.QuantizeQ2_K,
		Q3_K:    kernels.QuantizeQ3_K,
		Q4_K:    kernels.QuantizeQ4_K,
		Q5_K:    kernels.QuantizeQ5_K,
		Q6_K:    kernels.QuantizeQ6_K,
		IQ2_XXS: kernels.QuantizeIQ2_XXS,
		IQ2_XS:  kernels.QuantizeIQ2_XS,
		IQ3_XXS: kernels.QuantizeIQ3_XXS,
		IQ1_S:   kernels.QuantizeIQ1_S,
		IQ4_NL:  kernels.QuantizeIQ4_NL,
		IQ3_S:   kernels.QuantizeIQ3_S,
		IQ2_S:   kernels.QuantizeIQ2_S,
		IQ4_XS:  kernels.QuantizeIQ4_XS,
		IQ1_M:   kernels.QuantizeIQ1_M,
		TQ1_0:   kernels.QuantizeTQ1_0,
		TQ2_0:   kernels.QuantizeTQ2_0,
		MXFP4:   kernels.QuantizeMXFP4,
		NVFP4:   kernels.QuantizeNVFP4,
		Q1_0:    kernels.QuantizeQ1_0,
		Q2_0:    kernels.QuantizeQ2_0,
	}
)

// Decoder returns the function that converts data of format d to float32, one
// number an element, rounding to nearest even where d is wider; nil if there is
// none.
func Decoder(d DType) func(dst []float32, src []byte) { return decoders[d] }

// Encoder returns the function that rounds float32 to format d, to nearest even;
// nil if there is none.
func Encoder(d DType) func(dst []byte, src []float32) { return encoders[d] }

// Quantizer returns the function that quantizes rows to the block format d, as
// package kernels describes it; nil if there is none. weights is nil or the
// importance of each of the rowLen columns.
func Quantizer(d DType) func(dst []byte, src []float32, rowLen int, weights []float32) {
	return quantizers[d]
}
