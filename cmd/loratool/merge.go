package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/adapter"
	"github.com/loratool/loratool/transform/recipe"
	"github.com/loratool/loratool/transform/shrink"
)

var mergeCommand = &command{
	name:    "merge",
	form:    "BASE --lora ADAPTER[:STRENGTH] [--lora …] -o OUT",
	summary: "merge LoRA adapters into the weights of a model",
	about: `Adds what each adapter has learned to the base's weights, W + strength · scale · B·A, and
		writes a complete checkpoint: weights, config brought up to date, tokenizer and all other files. The
		sum is made in float32 and rounded once, so that the order of adapters makes no difference; for
		one adapter in the base's own precision the result is PEFT's, bit for bit.

		Every tensor of an adapter must find its place in the base, or nothing is written. Tensors that no
		adapter changes are copied as they are.

		OUT is a folder, or a single file if it ends in .safetensors. OUT.gguf is the merged model converted
		to GGUF as convert does it, and with --type quantized, in one go.

		With --type and one of quantize's types of checkpoints, such as nf4, the merged model is quantized
		in the same pass. A base that is quantized itself is decoded, and the result is in 16 bits.

		BASE may be GGUF itself. Then each tensor keeps its number format, if --type does not say otherwise,
		and what no adapter changes is copied. Formats such as IQ2_XXS need --imatrix for that. ADAPTER may
		be a GGUF adapter, too.`,
	examples: []example{
		{"one adapter", "loratool merge ./base --lora ./my-adapter -o ./merged"},
		{"two, at different strengths, from the Hugging Face cache", "loratool merge org/base --lora org/style:0.8 --lora ./facts:0.3 -o ./merged"},
		{"from adapter to a quantized file", "loratool merge ./base --lora ./my-adapter -o merged-Q4_K_M.gguf --type Q4_K_M"},
		{"merged and quantized for bitsandbytes, in one pass", "loratool merge ./base --lora ./my-adapter -o ./merged-nf4 --type nf4"},
		{"what would it do, and what does it take?", "loratool merge ./base --lora ./my-adapter -o ./merged --dry-run"},
	},
	flags: flagList(
		&cli.StringSliceFlag{Name: "lora", Usage: "`ADAPTER[:STRENGTH]` to merge, at strength 1 if none is given; once for each adapter"},
		dtypeFlag("`FORMAT` of the merged weights: keep (that of the base), bf16, f16 or f32", "keep"),
		&cli.StringFlag{Name: "rounding", Value: "single", Usage: "`HOW` to round: single (once, in the end), peft or peft-safe (as often as PEFT does without and with safe_merge)"},
		&cli.StringFlag{Name: "base-is", Usage: "`WHICH` base it is, original or residual, for adapters whose initialisation changed it (PiSSA, OLoRA, KaSA)"},
		&cli.BoolFlag{Name: "grow-vocab", Usage: "take over an adapter's vocabulary of another size, with its tokenizer"},
		&cli.BoolFlag{Name: "allow-unmatched", Usage: "leave out, with a warning, what has no place in the base"},
		&cli.BoolFlag{Name: "allow-nonfinite", Usage: "let NaN and infinities pass"},
		typeFlag(), preFlag(), recipeFlags(), shrinkFlags(),
		outputFlags(), shardFlag("5GB"), workFlags(),
	),
	choices: map[string][]string{
		"dtype":    {"keep", "bf16", "f16", "f32"},
		"rounding": {string(transform.RoundSingle), string(transform.RoundPEFT), string(transform.RoundPEFTSafe)},
		"base-is":  {string(adapter.BaseOriginal), string(adapter.BaseResidual)},
	},
	operands: [2]int{1, 1},
	run:      runMerge,
}

func runMerge(c *call) (err error) {
	o, err := c.mergeOptions()
	if err != nil {
		return err
	}
	base, source, err := c.openSource(c.operand(0))
	if err != nil {
		return err
	}
	defer base.Close()
	if err := noAdapter(base); err != nil {
		return err
	}
	adapters, err := c.openAdapters(c.StringSlice("lora"), base)
	defer func() {
		for _, a := range adapters {
			a.Close()
		}
	}()
	if err != nil {
		return err
	}
	if base.Format == "gguf" {
		// What is quantized next is not quantized before. Otherwise each tensor keeps
		// its format, which the importance matrix may be needed for.
		if o.DecodeChanged = c.namesRecipe(); !o.DecodeChanged {
			var close func()
			if o.Imatrix, close, err = c.openImatrix(); err != nil {
				return err
			}
			defer close()
		}
	}
	merged, report, err := transform.Merge(base, adapters, o)
	if err != nil {
		return err
	}
	c.explainMerge(report)
	if source != nil && o.DType == formats.Invalid {
		c.infof("the merged model is not quantized: its weights are %v", source.DType)
	}
	rows := func() { c.planMerge(report) }
	switch {
	case base.Format == "gguf" && !c.wantsGGUF():
		return usagef("-o "+c.ggufOutput()+"; loratool convert makes a checkpoint of a GGUF model", "the base is GGUF, so the result is, too")
	case base.Format == "gguf":
		return c.writeMergedGGUF(merged, report, rows)
	case c.wantsGGUF():
		if merged, err = ordered(merged); err != nil {
			return err
		}
		return c.writeGGUF(merged, report, rows)
	case c.IsSet("type"):
		if t, ok := shrink.ParseType(c.String("type")); ok {
			if source != nil {
				c.warnf("%s was quantized (%s), and so is the result again: start from the original if there is one", base.Path, source.Scheme)
			}
			return c.writeShrunk(merged, base, t, report, rows)
		}
		return usagef("-o "+c.ggufOutput()+" makes GGUF of the merged model", "--type is for GGUF, and -o %s is none", c.String("output"))
	}
	l, err := c.layout(merged)
	if err != nil {
		return err
	}
	return c.write(l, report, rows)
}

// namesRecipe reports whether --type says how to quantize a GGUF model.
func (c *call) namesRecipe() bool {
	return c.IsSet("type") && !strings.EqualFold(c.String("type"), "auto")
}

// writeMergedGGUF writes a GGUF model with adapters merged into it: each tensor in
// its format, or quantized as --type says.
func (c *call) writeMergedGGUF(merged *formats.Model, report any, rows func()) error {
	if !c.namesRecipe() {
		l, err := c.layoutGGUF(merged, nil)
		if err != nil {
			return err
		}
		return c.write(l, report, rows)
	}
	f, ok := recipe.ParseFType(c.String("type"))
	if !ok {
		return noType(c.String("type"), "auto")
	}
	return c.writeQuantized(merged, f, report, rows)
}

// mergeOptions reads the flags that say what to merge, and how.
func (c *call) mergeOptions() (o transform.MergeOptions, err error) {
	if len(c.StringSlice("lora")) == 0 {
		return o, usagef("the form is: "+c.cmd.usage(), "--lora is missing: which adapter shall be merged?")
	}
	o.DType = c.dtype()
	o.Rounding = transform.Rounding(strings.ToLower(c.String("rounding")))
	o.BaseIs = adapter.BaseIs(strings.ToLower(c.String("base-is")))
	o.GrowVocab, o.AllowUnmatched, o.AllowNonfinite = c.Bool("grow-vocab"), c.Bool("allow-unmatched"), c.Bool("allow-nonfinite")
	o.AllowRepeat = c.Bool("force")
	o.HeadersOnly = c.Bool("dry-run")
	o.Version = version()
	return o, nil
}

// explainMerge tells what a person may want to know before the work begins.
func (c *call) explainMerge(r *transform.MergeReport) {
	var left []string
	for _, p := range r.Unmatched {
		left = append(left, fmt.Sprintf("left out: %s: %s", p.Name, p.Reason))
	}
	c.warnEach(left)
	for _, n := range r.Notes {
		c.infof("%s", n)
	}
	for _, change := range r.Config {
		c.infof("config.json: %s", change)
	}
	for _, t := range r.Tensors {
		c.detailf("%s: %s", t.Name, t.Action)
	}
}

// planMerge prints the part of a plan that is about merging.
func (c *call) planMerge(r *transform.MergeReport) {
	c.row(0, "base", "%s", r.Base)
	for i, a := range r.Adapters {
		c.row(i, "adapters", "%s (%s), strength %v, %d of %d tensors used", a.Path, a.Type, a.Strength, a.Used, a.Tensors)
	}
	count := map[string]int{}
	for _, t := range r.Tensors {
		count[t.Action]++
	}
	words := []string{}
	for _, action := range []string{"merged", "replaced", "created", "copied"} {
		if n := count[action]; n > 0 {
			words = append(words, plural(n, "%d "+action, "%d "+action))
		}
	}
	c.row(0, "changes", "%s; %d tensors unchanged", strings.Join(words, ", "), r.Unchanged)
}
