package shrink

import (
	"strings"

	"github.com/loratool/loratool/formats"
)

// NVIDIA's modelopt keeps a matrix P.weight of shape [N, K] as
//
//	NVFP4  P.weight U8 [N, K/2], codes E2M1 with the first of two in the low half;
//	       P.weight_scale F8_E4M3 [N, K/16]; P.weight_scale_2 F32: w = code · (scale · scale_2)
//	FP8    P.weight F8_E4M3 [N, K], P.weight_scale F32: one for the matrix, or one a row
func readModelopt(r *reader) error {
	algorithm := strings.ToUpper(r.quantization.String("quant_algo"))
	switch {
	case algorithm == "NVFP4" || algorithm == "FP8" || algorithm == "MIXED_PRECISION":
		r.source.Scheme = "modelopt " + algorithm
	default:
		return &formats.Error{Err: formats.Reasonf(formats.ErrUnsupported, "modelopt's %q", algorithm)}
	}
	r.drop(".input_scale", ".k_scale", ".v_scale", ".pre_quant_scale")
	for _, t := range r.model.Tensors {
		p, ok := strings.CutSuffix(t.Name, ".weight_scale")
		if !ok {
			continue
		}
		codes := r.tensor(p + ".weight")
		if codes == nil || len(codes.Shape) != 2 || codes.DType != formats.U8 && codes.DType != formats.F8_E4M3 {
			return invalid(t.Name, "it is the scale of codes, but %s.weight is none", p)
		}
		if r.model.Tensor(p+".pre_quant_scale") != nil {
			return &formats.Error{Tensor: p + ".pre_quant_scale", Err: formats.Reasonf(formats.ErrUnsupported,
				"its inputs are scaled before they meet it, so that its values are not those of a plain matrix")}
		}
		g := &grouped{computing: computing(r.source.DType), rows: codes.Shape[0], cols: codes.Shape[1], codes: codes, bits: 8, unpack: unpackE4M3, tall: 1}
		var err error
		if codes.DType == formats.U8 {
			g.cols, g.bits, g.group, g.unpack = 2*g.cols, 4, 16, unpackE2M1
			if g.scales, err = r.state(t.Name, g.rows*g.groups(), formats.F8_E4M3); err != nil {
				return err
			}
			second, err := r.state(p+".weight_scale_2", 1, formats.F32)
			if err != nil {
				return err
			}
			if g.global, err = readGlobal(second, false); err != nil {
				return err
			}
		} else {
			g.group = max(1, g.cols)
			if t.NumElements() == 1 {
				g.tall = max(1, g.rows)
			}
			if g.scales, err = r.state(t.Name, (g.rows+g.tall-1)/g.tall, formats.F32, formats.BF16, formats.F16); err != nil {
				return err
			}
		}
		g.scale = formats.Decoder(g.scales.DType)
		r.replace(codes, codes.Name, []int{g.rows, g.cols}, g)
	}
	return nil
}
