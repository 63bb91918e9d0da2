package shrink

import (
	"strings"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/strictjson"
)

// DeepSeek's FP8 (quant_method fp8) keeps a matrix P.weight of shape [N, K] as
//
//	P.weight            F8_E4M3 [N, K]
//	P.weight_scale_inv  F32 (or F8_E8M0) [⌈N/128⌉, ⌈K/128⌉]: a factor for each tile, whatever its name says
//
// Without weight_block_size there is one factor for a matrix, P.weight_scale.
func readBlockFP8(r *reader) error {
	tall, wide := 0, 0
	if b := r.quantization.Array("weight_block_size"); len(b) == 2 {
		for i, to := range []*int{&tall, &wide} {
			n, _ := b[i].(strictjson.Number)
			v, ok := n.Int()
			if !ok || v < 1 || v > 1<<20 {
				return &formats.Error{Err: formats.Reasonf(formats.ErrFormat, "config.json: weight_block_size is %v", b)}
			}
			*to = int(v)
		}
	}
	r.source.Scheme = "FP8 in tiles"
	r.drop(".input_scale", ".activation_scale", ".k_scale", ".v_scale")
	for _, t := range r.model.Tensors {
		p, ok := strings.CutSuffix(t.Name, ".weight_scale_inv")
		if !ok {
			if p, ok = strings.CutSuffix(t.Name, ".weight_scale"); !ok {
				continue
			}
		}
		codes := r.tensor(p + ".weight")
		if codes == nil || codes.DType != formats.F8_E4M3 || len(codes.Shape) != 2 {
			return invalid(t.Name, "it is the scale of FP8 numbers, but %s.weight is none", p)
		}
		g := &grouped{computing: computing(r.source.DType), rows: codes.Shape[0], cols: codes.Shape[1], codes: codes, bits: 8,
			unpack: unpackE4M3, group: wide, tall: tall}
		if wide == 0 || t.NumElements() == 1 {
			g.group, g.tall = max(1, g.cols), max(1, g.rows)
		}
		n := (g.rows + g.tall - 1) / g.tall * g.groups()
		var err error
		if g.scales, err = r.state(t.Name, n, formats.F32, formats.BF16, formats.F16, formats.F8_E8M0); err != nil {
			return err
		}
		g.scale = formats.Decoder(g.scales.DType)
		r.replace(codes, codes.Name, codes.Shape, g)
	}
	return nil
}
