package formats

import "fmt"

// A DType is the number format of a tensor's elements: a plain one of the
// safetensors format, or a block format of ggml.
type DType uint8

// The plain formats, in the order of the safetensors format, and ggml's block
// formats. Invalid is the zero value.
const (
	Invalid DType = iota

	Bool
	F4      // E2M1, two to a byte
	F6_E2M3 // four to three bytes
	F6_E3M2
	U8
	I8
	F8_E5M2
	F8_E4M3
	F8_E8M0
	F8_E4M3FNUZ
	F8_E5M2FNUZ
	I16
	U16
	F16
	BF16
	I32
	U32
	F32
	C64
	F64
	I64
	U64

	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q8_0
	Q8_1
	Q2_K
	Q3_K
	Q4_K
	Q5_K
	Q6_K
	Q8_K
	IQ2_XXS
	IQ2_XS
	IQ3_XXS
	IQ1_S
	IQ4_NL
	IQ3_S
	IQ2_S
	IQ4_XS
	IQ1_M
	TQ1_0
	TQ2_0
	MXFP4
	NVFP4
	Q1_0
	Q2_0

	numDTypes
)

// dtypes says of each format its name and the size of its blocks: so many
// elements in so many bytes. A plain number is a block of one element.
var dtypes = [numDTypes]struct {
	name       string
	blockLen   int
	blockBytes int
}{
	Bool:        {"BOOL", 1, 1},
	F4:          {"F4", 2, 1},
	F6_E2M3:     {"F6_E2M3", 4, 3},
	F6_E3M2:     {"F6_E3M2", 4, 3},
	U8:          {"U8", 1, 1},
	I8:          {"I8", 1, 1},
	F8_E5M2:     {"F8_E5M2", 1, 1},
	F8_E4M3:     {"F8_E4M3", 1, 1},
	F8_E8M0:     {"F8_E8M0", 1, 1},
	F8_E4M3FNUZ: {"F8_E4M3FNUZ", 1, 1},
	F8_E5M2FNUZ: {"F8_E5M2FNUZ", 1, 1},
	I16:         {"I16", 1, 2},
	U16:         {"U16", 1, 2},
	F16:         {"F16", 1, 2},
	BF16:        {"BF16", 1, 2},
	I32:         {"I32", 1, 4},
	U32:         {"U32", 1, 4},
	F32:         {"F32", 1, 4},
	C64:         {"C64", 1, 8},
	F64:         {"F64", 1, 8},
	I64:         {"I64", 1, 8},
	U64:         {"U64", 1, 8},

	Q4_0:    {"Q4_0", 32, 18},
	Q4_1:    {"Q4_1", 32, 20},
	Q5_0:    {"Q5_0", 32, 22},
	Q5_1:    {"Q5_1", 32, 24},
	Q8_0:    {"Q8_0", 32, 34},
	Q8_1:    {"Q8_1", 32, 36},
	Q2_K:    {"Q2_K", 256, 84},
	Q3_K:    {"Q3_K", 256, 110},
	Q4_K:    {"Q4_K", 256, 144},
	Q5_K:    {"Q5_K", 256, 176},
	Q6_K:    {"Q6_K", 256, 210},
	Q8_K:    {"Q8_K", 256, 292},
	IQ2_XXS: {"IQ2_XXS", 256, 66},
	IQ2_XS:  {"IQ2_XS", 256, 74},
	IQ3_XXS: {"IQ3_XXS", 256, 98},
	IQ1_S:   {"IQ1_S", 256, 50},
	IQ4_NL:  {"IQ4_NL", 32, 18},
	IQ3_S:   {"IQ3_S", 256, 110},
	IQ2_S:   {"IQ2_S", 256, 82},
	IQ4_XS:  {"IQ4_XS", 256, 136},
	IQ1_M:   {"IQ1_M", 256, 56},
	TQ1_0:   {"TQ1_0", 256, 54},
	TQ2_0:   {"TQ2_0", 256, 66},
	MXFP4:   {"MXFP4", 32, 17},
	NVFP4:   {"NVFP4", 64, 36},
	Q1_0:    {"Q1_0", 128, 18},
	Q2_0:    {"Q2_0", 64, 18},
}

// String returns the name that safetensors or ggml uses, such as "BF16" or "Q4_K".
func (d DType) String() string {
	if d == Invalid || d >= numDTypes {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// MarshalText returns String's name, for JSON.
func (d DType) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// ParseDType returns the format with the given name, spelled as String spells it.
func ParseDType(name string) (d DType, ok bool) {
	for d := Invalid + 1; d < numDTypes; d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return Invalid, false
}

// BlockLen returns the number of elements in a block: 1 for plain numbers of
// whole bytes.
func (d DType) BlockLen() int { return dtypes[d].blockLen }

// BlockBytes returns the size of a block.
func (d DType) BlockBytes() int { return dtypes[d].blockBytes }

// Bits returns the storage per element, in bits: 4.5 for Q4_0.
func (d DType) Bits() float64 { return 8 * float64(dtypes[d].blockBytes) / float64(dtypes[d].blockLen) }

// IsQuantized reports whether d is one of ggml's block formats.
func (d DType) IsQuantized() bool { return d >= Q4_0 && d < numDTypes }

// IsFloat reports whether d is a plain floating-point format.
func (d DType) IsFloat() bool {
	switch d {
	case F4, F6_E2M3, F6_E3M2, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, F16, BF16, F32, F64:
		return true
	}
	return false
}
