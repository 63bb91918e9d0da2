package shrink

import "strings"

// A Type is what a matrix is quantized to.
type Type string

// The types that [Quantize] writes.
const (
	NF4      Type = "nf4"
	NF4DQ    Type = "nf4-dq"
	Int8     Type = "int8-bnb"
	MLX4     Type = "mlx-4bit"
	MLX8     Type = "mlx-8bit"
	W4A16    Type = "w4a16"
	FP8      Type = "fp8"
	FP8Block Type = "fp8-block"
	NVFP4    Type = "nvfp4"
	MXFP4    Type = "mxfp4"
)

// A TypeInfo says of a type who loads it and what it takes.
type TypeInfo struct {
	Type   Type
	Loader string
	Bits   float64 // per weight of a large matrix, scales included
	Groups []int   // sizes that a group may have, the usual one first; nil if there is no choice
	Search bool    // whether better scales can be searched for

	family family
}

// A family is of types that may be mixed in one checkpoint.
type family string

const (
	bitsandbytes family = "bitsandbytes"
	mlx          family = "mlx"
	compressed   family = "compressed-tensors"
	blockFP8     family = "fp8"
	gptOss       family = "mxfp4" // of gpt-oss, which has its own layout
)

// Types lists the types. Of a gpt-oss model, MXFP4 is what [GptOss] describes.
var Types = []TypeInfo{
	{NF4, "transformers, PEFT and diffusers with bitsandbytes", 4.5, nil, false, bitsandbytes},
	{NF4DQ, "transformers, PEFT and diffusers with bitsandbytes", 4.127, nil, false, bitsandbytes},
	{Int8, "transformers with bitsandbytes", 8, nil, false, bitsandbytes},
	{MLX4, "mlx-lm, LM Studio", 4.5, []int{64, 32, 128}, false, mlx},
	{MLX8, "mlx-lm, LM Studio", 8.5, []int{64, 32, 128}, false, mlx},
	{W4A16, "vLLM, transformers with compressed-tensors", 4.125, []int{128, 32, 64}, true, compressed},
	{FP8, "vLLM, SGLang, transformers with compressed-tensors", 8, nil, false, compressed},
	{FP8Block, "vLLM, SGLang, transformers", 8, nil, false, blockFP8},
	{NVFP4, "vLLM, transformers with compressed-tensors", 4.5, nil, true, compressed},
	{MXFP4, "vLLM, transformers with compressed-tensors", 4.25, nil, true, compressed},
}

// GptOss is what MXFP4 is of a gpt-oss model: its experts as its makers publish them.
var GptOss = TypeInfo{MXFP4, "transformers, vLLM", 4.25, nil, true, gptOss}

// ParseType returns the type of the given name, in any case.
func ParseType(name string) (TypeInfo, bool) {
	for _, t := range Types {
		if strings.EqualFold(string(t.Type), name) {
			return t, true
		}
	}
	return TypeInfo{}, false
}

func (t Type) info() TypeInfo {
	info, _ := ParseType(string(t))
	return info
}
