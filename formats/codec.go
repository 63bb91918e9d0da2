package formats

import "github.com/loratool/loratool/kernels"

// decoders convert whole blocks to float32, encoders float32 to whole blocks.
// A new number format gets its line here. Quantizers that take an importance
// matrix are more than an encoder and are used by transform directly.
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
	}
	encoders = [numDTypes]func(dst []byte, src []float32){
		F8_E5M2: kernels.EncodeF8E5M2,
		F8_E4M3: kernels.EncodeF8E4M3,
		F16:     kernels.EncodeF16,
		BF16:    kernels.EncodeBF16,
		F32:     kernels.EncodeF32,
		F64:     kernels.EncodeF64,
	}
)

// Decoder returns the function that converts data of format d to float32, one
// number an element, rounding to nearest even where d is wider; nil if there is
// none.
func Decoder(d DType) func(dst []float32, src []byte) { return decoders[d] }

// Encoder returns the function that rounds float32 to format d, to nearest even;
// nil if there is none.
func Encoder(d DType) func(dst []byte, src []float32) { return encoders[d] }
