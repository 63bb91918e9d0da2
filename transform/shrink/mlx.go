package shrink

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
	"github.com/loratool/loratool/kernels"
)

// MLX keeps a matrix P.weight of shape [N, K], embeddings too, as
//
//	P.weight  U32 [N, K·bits/32]: the codes of each row, from the lowest bit on
//	P.scales  BF16 or F16 [N, K/group]
//	P.biases  like scales: w = code · scale + bias
//
// That is the mode affine. The modes mxfp4, mxfp8 and nvfp4 have codes of small
// floats, scales in U8 (powers of two, or E4M3 for nvfp4) and no biases. Experts are
// stacked, [E, N, K], under switch_mlp. Groups, bits and mode stand in config.json,
// per module where they differ from the rest.

// An mlxFormat is how one module is quantized.
type mlxFormat struct {
	group, bits int
	mode        string
}

var mlxModes = map[string]mlxFormat{"mxfp4": {32, 4, "mxfp4"}, "mxfp8": {32, 8, "mxfp8"}, "nvfp4": {16, 4, "nvfp4"}}

// mlxFormatOf reads the format of a module: its own entry, or what all have.
func mlxFormatOf(q *strictjson.Object, module string) (mlxFormat, error) {
	f := mlxFormat{64, 4, "affine"}
	for _, o := range []*strictjson.Object{q, q.Object(module)} {
		if o == nil {
			continue
		}
		if s := o.String("mode"); s != "" {
			f.mode = s
			if d, ok := mlxModes[s]; ok {
				f = d
			}
		}
		if v, ok := o.Int("group_size"); ok { // some versions write null
			f.group = int(v)
		}
		if v, ok := o.Int("bits"); ok {
			f.bits = int(v)
		}
	}
	if _, ok := mlxModes[f.mode]; !ok && f.mode != "affine" {
		return f, &formats.Error{Tensor: module + ".weight", Err: formats.Reasonf(formats.ErrUnsupported, "the quantization mode %q", f.mode)}
	}
	if f.group < 1 || f.group > 1<<16 || f.group%8 != 0 || f.bits < 2 || f.bits > 8 {
		return f, invalid(module+".weight", "config.json gives it %d bits in groups of %d", f.bits, f.group)
	}
	return f, nil
}

func readMLX(r *reader) error {
	for _, t := range r.model.Tensors {
		p, ok := strings.CutSuffix(t.Name, ".scales")
		if !ok {
			continue
		}
		f, err := mlxFormatOf(r.quantization, p)
		if err != nil {
			return err
		}
		if err := r.readMLXModule(p, f); err != nil {
			return err
		}
		if r.source.Count == 1 || f.mode != "affine" {
			r.source.Scheme = fmt.Sprintf("MLX %s, %d bits", f.mode, f.bits)
		}
	}
	return nil
}

func (r *reader) readMLXModule(p string, f mlxFormat) error {
	codes := r.tensor(p + ".weight")
	if codes == nil || codes.DType != formats.U32 || len(codes.Shape) < 2 || len(codes.Shape) > 3 {
		return invalid(p+".scales", "it is the scale of codes, but %s.weight is none", p)
	}
	rows, cols := codes.NumRows(), codes.NumCols()*32/f.bits
	if codes.NumCols()*32%f.bits != 0 || cols%f.group != 0 {
		return invalid(codes.Name, "%v is no room for codes of %d bits in groups of %d", &codes.Info, f.bits, f.group)
	}
	g := grouped{computing: computing(r.source.DType), rows: rows, cols: cols, codes: codes, bits: f.bits, group: f.group, tall: 1}
	var err error
	n := rows * cols / f.group
	switch f.mode {
	case "affine":
		if g.scales, err = r.state(p+".scales", n, formats.BF16, formats.F16, formats.F32); err != nil {
			return err
		}
		if g.biases, err = r.state(p+".biases", n, g.scales.DType); err != nil {
			return err
		}
		g.scale, g.unpack = formats.Decoder(g.scales.DType), unpackBits(f.bits, 0)
	default:
		if g.scales, err = r.state(p+".scales", n, formats.U8); err != nil {
			return err
		}
		g.scale, g.unpack = kernels.DecodeF8E8M0, unpackE2M1
		if f.mode == "nvfp4" {
			g.scale = kernels.DecodeF8E4M3
		}
		if f.bits == 8 {
			g.unpack = unpackE4M3
		}
	}
	if len(codes.Shape) == 2 {
		r.replace(codes, codes.Name, []int{rows, cols}, &g)
		return nil
	}
	return r.unstack(codes, p, &g)
}

// unstack gives each expert of a stack its own matrix, as other checkpoints have
// them.
func (r *reader) unstack(codes *formats.Tensor, p string, g *grouped) error {
	experts, rows := codes.Shape[0], codes.Shape[1]
	stack, rest, ok := strings.Cut(p, ".switch_mlp.")
	if !ok {
		r.replace(codes, codes.Name, []int{experts, rows, g.cols}, g)
		return nil
	}
	for e := range experts {
		one := *g
		one.rows, one.first = rows, e*rows
		r.replace(codes, stack+".experts."+strconv.Itoa(e)+"."+expertName(stack, rest)+".weight", []int{rows, g.cols}, &one)
	}
	return nil
}

// Mixtral calls the matrices of its experts by numbers; MLX calls them as all others
// do.
var mixtralNames = map[string]string{"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}

// expertName returns what the checkpoint calls an expert's matrix that MLX calls so.
func expertName(stack, name string) string {
	if strings.HasSuffix(stack, "block_sparse_moe") {
		for theirs, mlx := range mixtralNames {
			if mlx == name {
				return theirs
			}
		}
	}
	return name
}
