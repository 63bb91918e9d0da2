package shrink

import (
	"slices"
	"strconv"

	"github.com/loratool/loratool/formats/strictjson"
)

// object returns a JSON object of keys and values in turn.
func object(pairs ...any) *strictjson.Object {
	o := &strictjson.Object{}
	for i := 0; i < len(pairs); i += 2 {
		v := pairs[i+1]
		switch n := v.(type) {
		case int:
			v = strictjson.Int(n)
		case []string:
			list := strictjson.Array{}
			for _, s := range n {
				list = append(list, s)
			}
			v = list
		}
		o.Set(pairs[i].(string), v)
	}
	return o
}

// configured returns config.json with the block that loaders go by.
func (p *plan) configured() *strictjson.Object {
	c := strictjson.Clone(p.config).(*strictjson.Object)
	switch p.info.family {
	case bitsandbytes:
		c.Set("quantization_config", p.bnbConfig())
	case mlx:
		c.Set("quantization", p.mlxConfig())
		c.Set("quantization_config", p.mlxConfig())
	case compressed:
		c.Set("quantization_config", p.ctConfig())
	case gptOss:
		c.Set("quantization_config", object("quant_method", "mxfp4", "modules_to_not_convert", p.gptOssPlain()))
	case blockFP8:
		c.Set("quantization_config", object("quant_method", "fp8", "activation_scheme", "dynamic",
			"weight_block_size", strictjson.Array{strictjson.Int(fp8Tile), strictjson.Int(fp8Tile)}, "modules_to_not_convert", p.plain()))
	}
	return c
}

// plain lists the linear layers that stay as they are, by name: a loader would look for
// codes in any other. The output is among them even if it is tied and has no tensor.
func (p *plan) plain() []string {
	names := []string{"lm_head"}
	for _, x := range p.report.Matrices {
		if r, _ := roleOf(x.source); x.Type == "" && r != embedding && !slices.Contains(names, x.module) {
			names = append(names, x.module)
		}
	}
	return names
}

func (p *plan) bnbConfig() *strictjson.Object {
	if p.info.Type == Int8 {
		return object("quant_method", "bitsandbytes", "load_in_8bit", true, "load_in_4bit", false, "llm_int8_threshold", strictjson.Number("6.0"),
			"llm_int8_skip_modules", p.plain())
	}
	return object("quant_method", "bitsandbytes", "load_in_4bit", true, "load_in_8bit", false, "bnb_4bit_quant_type", "nf4",
		"bnb_4bit_compute_dtype", torchName(p.half), "bnb_4bit_quant_storage", "uint8", "bnb_4bit_use_double_quant", p.info.Type == NF4DQ,
		"llm_int8_skip_modules", p.plain())
}

func (p *plan) mlxConfig() *strictjson.Object {
	bits := func(t Type) int {
		if t == MLX8 {
			return 8
		}
		return 4
	}
	o := object("group_size", p.group(p.info.Type), "bits", bits(p.info.Type), "mode", "affine")
	for _, x := range p.report.Matrices {
		if x.Type == "" || x.Type == p.info.Type {
			continue
		}
		name := x.module
		if stack, _, matrix, ok := expertOf(name); ok {
			name = mlxStack(stack, matrix)
		}
		o.Set(name, object("group_size", p.group(x.Type), "bits", bits(x.Type)))
	}
	return o
}

// ctWeightsOf describes the weights of a type to compressed-tensors, and its format.
func (p *plan) ctWeightsOf(t Type) (format string, weights, activations *strictjson.Object) {
	switch t {
	case W4A16:
		return "pack-quantized", object("num_bits", 4, "type", "int", "symmetric", true, "strategy", "group", "group_size", p.group(t), "dynamic", false), nil
	case FP8:
		return "float-quantized", object("num_bits", 8, "type", "float", "symmetric", true, "strategy", "channel", "group_size", nil, "dynamic", false),
			object("num_bits", 8, "type", "float", "symmetric", true, "strategy", "token", "group_size", nil, "dynamic", true)
	case NVFP4:
		return "nvfp4-pack-quantized", object("num_bits", 4, "type", "float", "symmetric", true, "strategy", "tensor_group", "group_size", nvGroup,
			"dynamic", false, "scale_dtype", "torch.float8_e4m3fn"), nil
	}
	return "mxfp4-pack-quantized", object("num_bits", 4, "type", "float", "symmetric", true, "strategy", "group", "group_size", mxGroup,
		"dynamic", false, "scale_dtype", "torch.uint8"), nil
}

func (p *plan) ctConfig() *strictjson.Object {
	var types []Type
	modules := map[Type][]string{}
	for _, x := range p.report.Matrices {
		if x.Type == "" {
			continue
		}
		if !slices.Contains(types, x.Type) {
			types = append(types, x.Type)
		}
		modules[x.Type] = append(modules[x.Type], x.module)
	}
	groups := object()
	format := "mixed-precision"
	for i, t := range types {
		name, weights, activations := p.ctWeightsOf(t)
		targets := modules[t] // by name, so that no group takes what is another's
		if len(types) == 1 {
			format, targets = name, []string{"Linear"}
		}
		g := object("format", name, "targets", targets, "weights", weights, "input_activations", nil, "output_activations", nil)
		if activations != nil {
			g.Set("input_activations", activations)
		}
		groups.Set("group_"+strconv.Itoa(i), g)
	}
	return object("quant_method", "compressed-tensors", "format", format, "quantization_status", "compressed",
		"config_groups", groups, "ignore", p.plain(), "kv_cache_scheme", nil)
}
