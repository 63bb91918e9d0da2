package recipe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
)

// An FType is a recipe for a whole file, by the number that files have under
// general.file_type.
type FType int

// The recipes that something depends on; fileTypes lists all of them.
const (
	Copy FType = -1 // every tensor keeps its format

	F32       FType = 0
	F16       FType = 1
	Q4_0      FType = 2
	Q5_0      FType = 8
	Q2_K      FType = 10
	Q3_K_S    FType = 11
	Q3_K_M    FType = 12
	Q3_K_L    FType = 13
	Q4_K_S    FType = 14
	Q4_K_M    FType = 15
	Q5_K_M    FType = 17
	IQ2_XXS   FType = 19
	IQ2_XS    FType = 20
	Q2_K_S    FType = 21
	IQ3_XS    FType = 22
	IQ3_XXS   FType = 23
	IQ1_S     FType = 24
	IQ4_NL    FType = 25
	IQ3_S     FType = 26
	IQ3_M     FType = 27
	IQ2_S     FType = 28
	IQ2_M     FType = 29
	IQ4_XS    FType = 30
	IQ1_M     FType = 31
	BF16      FType = 32
	TQ1_0     FType = 36
	TQ2_0     FType = 37
	MXFP4_MOE FType = 38
	Q2_0      FType = 41
)

// fileTypes are the recipes by number, with the format that most tensors get.
var fileTypes = []struct {
	ftype   FType
	name    string
	dtype   formats.DType
	summary string
}{
	{F32, "F32", formats.F32, "float32"},
	{F16, "F16", formats.F16, "float16"},
	{BF16, "BF16", formats.BF16, "bfloat16"},
	{7, "Q8_0", formats.Q8_0, "8 bits, nearly lossless"},
	{18, "Q6_K", formats.Q6_K, "6 bits"},
	{Q5_K_M, "Q5_K_M", formats.Q5_K, "5 bits, half of attn_v and ffn_down Q6_K"},
	{16, "Q5_K_S", formats.Q5_K, "5 bits"},
	{9, "Q5_1", formats.Q5_1, "5 bits, old"},
	{Q5_0, "Q5_0", formats.Q5_0, "5 bits, old"},
	{Q4_K_M, "Q4_K_M", formats.Q4_K, "4 bits, half of attn_v and ffn_down Q6_K; the usual choice"},
	{Q4_K_S, "Q4_K_S", formats.Q4_K, "4 bits, a few tensors Q5_K"},
	{3, "Q4_1", formats.Q4_1, "4 bits, old"},
	{Q4_0, "Q4_0", formats.Q4_0, "4 bits, old"},
	{IQ4_NL, "IQ4_NL", formats.IQ4_NL, "4 bits, uneven levels"},
	{IQ4_XS, "IQ4_XS", formats.IQ4_XS, "4 bits, uneven levels, smaller"},
	{Q3_K_L, "Q3_K_L", formats.Q3_K, "3 bits, attn_v, attn_output and ffn_down Q5_K"},
	{Q3_K_M, "Q3_K_M", formats.Q3_K, "3 bits, attn_v, attn_output and ffn_down Q4_K"},
	{Q3_K_S, "Q3_K_S", formats.Q3_K, "3 bits"},
	{IQ3_M, "IQ3_M", formats.IQ3_S, "3 bits, attn_v and attn_output Q4_K"},
	{IQ3_S, "IQ3_S", formats.IQ3_S, "3 bits"},
	{IQ3_XS, "IQ3_XS", formats.IQ3_S, "3 bits, some IQ3_XXS; needs an importance matrix"},
	{IQ3_XXS, "IQ3_XXS", formats.IQ3_XXS, "3 bits; needs an importance matrix"},
	{Q2_K, "Q2_K", formats.Q2_K, "2 bits, attn_v, attn_output and ffn_down Q3_K"},
	{Q2_K_S, "Q2_K_S", formats.Q2_K, "2 bits; needs an importance matrix"},
	{IQ2_M, "IQ2_M", formats.IQ2_S, "2 bits; needs an importance matrix"},
	{IQ2_S, "IQ2_S", formats.IQ2_XS, "2 bits; needs an importance matrix"},
	{IQ2_XS, "IQ2_XS", formats.IQ2_XS, "2 bits; needs an importance matrix"},
	{IQ2_XXS, "IQ2_XXS", formats.IQ2_XXS, "2 bits; needs an importance matrix"},
	{IQ1_M, "IQ1_M", formats.IQ1_M, "under 2 bits; needs an importance matrix"},
	{IQ1_S, "IQ1_S", formats.IQ1_S, "under 2 bits; needs an importance matrix"},
	{TQ2_0, "TQ2_0", formats.TQ2_0, "for models trained with weights -1, 0, 1"},
	{TQ1_0, "TQ1_0", formats.TQ1_0, "the same, smaller"},
	{Q2_0, "Q2_0", formats.Q2_0, "the same, blocks of 64"},
	{40, "Q1_0", formats.Q1_0, "for models trained with weights -1, 1"},
	{MXFP4_MOE, "MXFP4_MOE", formats.MXFP4, "experts in 4-bit floats, the rest Q8_0"},
}

// aliases are other names of recipes.
var aliases = map[string]string{"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}

// ParseFType returns the recipe of the given name, in any case, or number.
func ParseFType(name string) (FType, bool) {
	name = strings.ToUpper(name)
	if name == "COPY" {
		return Copy, true
	}
	if alias, ok := aliases[name]; ok {
		name = alias
	}
	number, err := strconv.Atoi(name)
	for _, f := range fileTypes {
		if f.name == name || err == nil && int(f.ftype) == number {
			return f.ftype, true
		}
	}
	return 0, false
}

// FTypes returns all recipes but Copy, largest files first.
func FTypes() []FType {
	var out []FType
	for _, f := range fileTypes {
		out = append(out, f.ftype)
	}
	return out
}

// String returns the recipe's name.
func (f FType) String() string {
	if i := f.index(); i >= 0 {
		return fileTypes[i].name
	}
	return "COPY"
}

// Summary says in a few words what the recipe is.
func (f FType) Summary() string {
	if i := f.index(); i >= 0 {
		return fileTypes[i].summary
	}
	return "every tensor as it is"
}

// DType returns the format of most tensors; Invalid for Copy.
func (f FType) DType() formats.DType {
	if i := f.index(); i >= 0 {
		return fileTypes[i].dtype
	}
	return formats.Invalid
}

func (f FType) index() int {
	for i := range fileTypes {
		if fileTypes[i].ftype == f {
			return i
		}
	}
	return -1
}

// in reports whether f is one of the recipes.
func (f FType) in(recipes ...FType) bool { return slices.Contains(recipes, f) }
