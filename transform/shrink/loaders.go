package shrink

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/loratool/loratool/formats"
)

// checkSiblings notes where servers would not find one type in what they fuse.
func (p *plan) checkSiblings() {
	if p.info.family == mlx || p.info.family == bitsandbytes {
		return
	}
	types := map[string]Type{}
	for _, x := range p.report.Matrices {
		types[x.module] = x.Type
	}
	for _, x := range p.report.Matrices {
		for _, s := range siblings(x.module) {
			if t, ok := types[s]; ok && t != x.Type && s < x.module {
				p.report.Notes = append(p.report.Notes, fmt.Sprintf("vLLM fuses %s and %s, and refuses them unless both are of one type; they are %s and %s",
					s, x.module, cmp.Or(t, "plain"), cmp.Or(x.Type, "plain")))
			}
		}
	}
}

// checkExperts returns an error if the loaders can't load experts of the type.
func (p *plan) checkExperts() error {
	experts := 0
	for _, x := range p.report.Matrices {
		if _, _, _, ok := expertOf(x.module); ok && x.Type != "" {
			experts++
		}
	}
	for _, t := range p.model.Tensors {
		if strings.Contains(t.Name, ".experts.") && len(t.Shape) == 3 {
			if p.info.family == mlx {
				return &formats.Error{Path: p.model.Path, Tensor: t.Name, Err: formats.Reasonf(formats.ErrUnsupported,
					"experts that are fused into one tensor already, which mlx-lm would have to take apart before they are quantized")}
			}
			p.report.Notes = append(p.report.Notes, fmt.Sprintf("%s stays as it is: experts that are fused into one tensor", t.Name))
		}
	}
	if experts == 0 {
		return nil
	}
	switch {
	case p.info.family == bitsandbytes:
		return &formats.Error{Path: p.model.Path, Err: formats.Reasonf(formats.ErrUnsupported,
			"it has experts: transformers fuses them when it loads, and bitsandbytes can't take them quantized"),
			Hint: "--skip '\\.experts\\.' quantizes the rest; mxfp4, w4a16 and fp8 can be loaded with experts"}
	case p.info.Type == NVFP4:
		p.report.Notes = append(p.report.Notes, "transformers 5.23 does not find experts in NVFP4, and makes random ones without an error; vLLM loads them")
	}
	return nil
}
