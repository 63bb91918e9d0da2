package shrink

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// compressed-tensors keeps a matrix P.weight of shape [N, K], by format,
//
//	pack-quantized        P.weight_packed I32 [N, K·bits/32], codes from the lowest bit on, each plus 2^(bits−1);
//	                      P.weight_scale [N, K/group] or [N, 1]; P.weight_shape I64 [2]: N and K
//	int-quantized         P.weight I8 [N, K], P.weight_scale [N, 1]
//	float-quantized       P.weight F8_E4M3 [N, K], P.weight_scale [N, 1], [1], or one a tile of 128×128
//	nvfp4-pack-quantized  P.weight_packed U8 [N, K/2], codes E2M1 with the first of two in the low half;
//	                      P.weight_scale F8_E4M3 [N, K/16]; P.weight_global_scale F32 [1], a divisor:
//	                      w = code · (scale / global)
//	mxfp4-pack-quantized  P.weight_packed like that, P.weight_scale U8 [N, K/32]: 2^(scale−127)
//	mxfp8-quantized       P.weight F8_E4M3, P.weight_scale like that
//
// Asymmetric codes have P.weight_zero_point, packed along the rows.

// A ctWeights are the "weights" of a group of config.json.
type ctWeights struct {
	format, kind, strategy string
	bits, group, tall      int
	targets                []string
}

func readCompressed(r *reader) error {
	groups, err := ctGroups(r.quantization)
	if err != nil {
		return err
	}
	r.drop(".input_scale", ".input_zero_point", ".input_global_scale", ".output_scale", ".k_scale", ".v_scale", ".q_scale")
	for _, t := range r.model.Tensors {
		p, ok := strings.CutSuffix(t.Name, ".weight_scale")
		if !ok {
			continue
		}
		w := ctGroupOf(groups, p)
		if err := r.readCTModule(p, w); err != nil {
			return err
		}
	}
	names := []string{}
	for _, w := range groups {
		if !slices.Contains(names, w.format) {
			names = append(names, w.format)
		}
	}
	r.source.Scheme = "compressed-tensors " + strings.Join(names, ", ")
	return nil
}

func ctGroups(q *strictjson.Object) ([]ctWeights, error) {
	var list []ctWeights
	groups := q.Object("config_groups")
	if groups == nil {
		return nil, &formats.Error{Err: formats.Reasonf(formats.ErrFormat, "config.json: compressed-tensors without config_groups")}
	}
	for _, m := range groups.Members {
		g, _ := m.Value.(*strictjson.Object)
		o := g.Object("weights")
		if o == nil {
			continue
		}
		w := ctWeights{format: cmp.Or(g.String("format"), q.String("format")), kind: o.String("type"), strategy: o.String("strategy")}
		bits, _ := o.Int("num_bits")
		group, _ := o.Int("group_size")
		w.bits, w.group, w.tall = int(bits), int(group), 1
		if b := o.Array("block_structure"); len(b) == 2 {
			tall, _ := b[0].(strictjson.Number)
			wide, _ := b[1].(strictjson.Number)
			t, _ := tall.Int()
			g, _ := wide.Int()
			w.tall, w.group = int(t), int(g)
		}
		if w.bits < 2 || w.bits > 8 || w.group < 0 || w.group > 1<<20 || w.tall < 1 || w.tall > 1<<20 || w.strategy == "block" && w.group == 0 {
			return nil, &formats.Error{Err: formats.Reasonf(formats.ErrFormat, "config.json: compressed-tensors weights of %d bits in groups of %d", w.bits, w.group)}
		}
		for _, v := range g.Array("targets") {
			s, _ := v.(string)
			w.targets = append(w.targets, s)
		}
		list = append(list, w)
	}
	if len(list) == 0 {
		return nil, &formats.Error{Err: formats.Reasonf(formats.ErrFormat, "config.json: compressed-tensors without quantized weights")}
	}
	return list, nil
}

// ctGroupOf returns the group whose targets name the module, or match it, or the
// first one that is for a class of modules.
func ctGroupOf(groups []ctWeights, module string) ctWeights {
	for _, w := range groups {
		if slices.ContainsFunc(w.targets, func(t string) bool { return ctMatches(t, module) }) {
			return w
		}
	}
	for _, w := range groups {
		if slices.ContainsFunc(w.targets, func(t string) bool { return !strings.Contains(t, ".") && !strings.HasPrefix(t, "re:") }) {
			return w
		}
	}
	return groups[0]
}

// ctMatches reports whether a target or an entry of ignore means a module.
func ctMatches(target, module string) bool {
	if expression, ok := strings.CutPrefix(target, "re:"); ok {
		re, err := regexp.Compile("^(?:" + expression + ")")
		return err == nil && re.MatchString(module)
	}
	return target == module
}

func (r *reader) readCTModule(p string, w ctWeights) error {
	g := &grouped{computing: computing(r.source.DType), bits: w.bits, group: w.group, tall: w.tall}
	if r.model.Tensor(p+".weight_zero_point") != nil && w.kind == "int" {
		return &formats.Error{Tensor: p + ".weight_zero_point", Err: formats.Reasonf(formats.ErrUnsupported, "asymmetric codes of compressed-tensors")}
	}
	if err := r.ctCodes(p, w, g); err != nil {
		return err
	}
	if w.strategy == "channel" || w.strategy == "tensor" || g.group == 0 {
		g.group = g.cols
	}
	if w.strategy == "tensor" {
		g.tall = g.rows
	}
	if g.group*g.bits%8 != 0 {
		return invalid(p+".weight_scale", "groups of %d codes of %d bits do not end at a byte", g.group, g.bits)
	}
	dtypes := []formats.DType{formats.BF16, formats.F16, formats.F32}
	switch {
	case w.format == "nvfp4-pack-quantized":
		dtypes = []formats.DType{formats.F8_E4M3}
	case strings.HasPrefix(w.format, "mxfp"):
		dtypes = []formats.DType{formats.U8, formats.F8_E8M0}
	}
	var err error
	n := (g.rows + g.tall - 1) / g.tall * g.groups()
	if g.scales, err = r.state(p+".weight_scale", n, dtypes...); err != nil {
		return err
	}
	g.scale = formats.Decoder(g.scales.DType)
	if g.scales.DType == formats.U8 {
		g.scale = kernels.DecodeF8E8M0
	}
	if w.format == "nvfp4-pack-quantized" {
		t, err := r.state(p+".weight_global_scale", 1, formats.F32)
		if err != nil {
			return err
		}
		if g.global, err = readGlobal(t, true); err != nil {
			return err
		}
	}
	r.replace(g.codes, p+".weight", []int{g.rows, g.cols}, g)
	return nil
}

// readGlobal reads a factor of all scales of a matrix.
func readGlobal(t *formats.Tensor, divides bool) (global, error) {
	v, err := readAll(t)
	if err != nil {
		return global{}, err
	}
	if v[0] <= 0 {
		return global{}, invalid(t.Name, "a scale of all scales can't be %v", v[0])
	}
	return global{factor: v[0], divides: divides}, nil
}

// ctCodes finds the codes of a module, and what size of matrix they make.
func (r *reader) ctCodes(p string, w ctWeights, g *grouped) error {
	name, dtype := p+".weight", formats.I8
	switch w.format {
	case "pack-quantized":
		name, dtype = p+".weight_packed", formats.I32
		g.unpack = unpackBits(w.bits, 1<<(w.bits-1))
	case "int-quantized", "naive-quantized":
		g.unpack = unpackI8
		if w.kind == "float" {
			dtype, g.unpack = formats.F8_E4M3, unpackE4M3
		}
	case "float-quantized", "mxfp8-quantized":
		dtype, g.unpack = formats.F8_E4M3, unpackE4M3
	case "nvfp4-pack-quantized", "mxfp4-pack-quantized":
		name, dtype = p+".weight_packed", formats.U8
		g.unpack = unpackE2M1
	default:
		return &formats.Error{Tensor: p + ".weight_scale", Err: formats.Reasonf(formats.ErrUnsupported, "the compressed-tensors format %q", w.format)}
	}
	codes := r.tensor(name)
	if codes == nil || codes.DType != dtype || len(codes.Shape) != 2 {
		return invalid(p+".weight_scale", "the codes that it belongs to, %s as %v, are missing", name, dtype)
	}
	g.codes, g.rows = codes, codes.Shape[0]
	bits := int(codes.RowBytes()) * 8
	g.cols = bits / g.bits
	if dtype == formats.I8 || dtype == formats.F8_E4M3 {
		if g.bits != 8 {
			return invalid(name, "config.json gives %v %d bits", &codes.Info, g.bits)
		}
	}
	if w.format != "pack-quantized" {
		return nil
	}
	t, err := r.state(p+".weight_shape", 2, formats.I64, formats.I32)
	if err != nil {
		return err
	}
	shape, err := readAll(t)
	if err != nil {
		return err
	}
	n, k := int(shape[0]), int(shape[1])
	if n != g.rows || k < 1 || k > g.cols || (k*g.bits+31)/32*32 != bits {
		return invalid(t.Name, "it says [%d %d], which does not fit the codes, %v", n, k, &codes.Info)
	}
	g.cols = k
	return nil
}
