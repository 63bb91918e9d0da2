package main

import (
	"fmt"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
)

var castCommand = &command{
	name:    "cast",
	form:    "MODEL -o OUT --dtype bf16|f16|f32",
	summary: "change the number format of a model's weights: half precision, or back",
	about: `Rounds every floating-point tensor once, to nearest even, from any of F64, F32, F16 and BF16.
		Integers stay as they are, and so do the few parameters that models keep in F32 whatever the
		rest is in. F16 ends at 65504: warnings say how many numbers of which tensors became infinite
		and how many became zero: of the first few tensors, and with -v or --report of all.

		The weights of a quantized checkpoint (bitsandbytes, MLX, compressed-tensors, FP8, GPTQ, AWQ, MXFP4,
		NVFP4) are decoded first: to what its loader computes with.

		OUT is a checkpoint folder with the config brought up to date, or a single file if it ends in
		.safetensors.`,
	examples: []example{
		{"halve a checkpoint in F32", "loratool cast ./model -o ./model-bf16 --dtype bf16"},
		{"a 4-bit checkpoint, back to half precision", "loratool cast ./model-nf4 -o ./model-bf16 --dtype bf16"},
		{"a single file; say first what it takes", "loratool cast adapter.safetensors -o small.safetensors --dtype f16 --dry-run"},
	},
	flags: flagList(
		dtypeFlag("`FORMAT` of the numbers: bf16, f16 or f32", ""),
		outputFlags(), shardFlag("5GB"), workFlags(),
	),
	operands: [2]int{1, 1},
	run:      runCast,
}

func runCast(c *call) error {
	dtype := c.dtype()
	if dtype == formats.Invalid {
		return usagef("--dtype is bf16, f16 or f32", "--dtype is missing")
	}
	m, err := c.openModel(c.operand(0))
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Format == "gguf" {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it is GGUF, and cast is for checkpoints"),
			Hint: "loratool convert makes a checkpoint of it, in the format that --type says; loratool quantize OUT.gguf has F16, BF16 and F32, too"}
	}
	cast, report, err := transform.Cast(m, dtype)
	if err != nil {
		return err
	}
	l, err := c.layout(cast)
	if err != nil {
		return err
	}
	c.infof("%s of tensors become %s", formatSize(m.NumBytes()), formatSize(cast.NumBytes()))
	for _, t := range report.Tensors {
		if t.Kept != "" {
			c.detailf("%s stays in %v: %s", t.Name, t.From, t.Kept)
		}
	}
	if err := c.write(l, report, nil); err != nil {
		return err
	}
	c.explainCast(report)
	return nil
}

// explainCast warns of the numbers that did not fit.
func (c *call) explainCast(r *transform.CastReport) {
	var infinite, zero []string
	for _, t := range r.Tensors {
		if n := t.Overflow(); n > 0 {
			infinite = append(infinite, fmt.Sprintf("tensor %q: %d of %d numbers became infinite in %v", t.Name, n, t.Elements, t.To))
		}
		if n := t.Flushed(); n > 0 {
			zero = append(zero, fmt.Sprintf("tensor %q: %d of %d numbers became zero in %v", t.Name, n, t.Elements, t.To))
		}
	}
	c.warnEach(infinite)
	c.warnEach(zero)
}
