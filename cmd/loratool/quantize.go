package main

import (
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/gguf"
	"github.com/loratool/loratool/formats/hf"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/recipe"
	"github.com/loratool/loratool/transform/shrink"
)

var quantizeCommand = &command{
	name:    "quantize",
	form:    "MODEL [TYPE] -o OUT",
	summary: "make a model smaller: GGUF as llama-quantize does, or a checkpoint for its loaders",
	about: `TYPE is a recipe such as Q4_K_M: a number format for most tensors, and a better one for those that
		matter more. ` + join(fileTypeNames()) + `, or COPY.

		The result is the file that llama-quantize writes on x86-64, on every machine. The architecture
		need not be known. A NaN, a number beyond the range of its format, and an importance matrix that
		says nothing of a tensor that needs one are errors that name the tensor.

		Instead of TYPE, --target-size or --target-bpw say how large the result may be. Then a sample of each
		tensor is quantized to every format, what it loses is measured, and the formats are chosen that lose
		least in all.

		With --report, what was lost of each tensor is measured and written, too; a report that ends in .html
		is a page with plots, any other is JSON.

		Of a checkpoint folder, TYPE makes another one: ` + join(shrinkTypeNames()) + `.
		nf4 and int8-bnb are for transformers with bitsandbytes, mlx for mlx-lm, the others for vLLM and for
		transformers with compressed-tensors. NF4 and MLX are those libraries' own bytes. Linear layers are
		quantized; embeddings (but for MLX), outputs, routers and what does not divide into groups stay as they
		are, and config.json says so.

		OUT is a checkpoint's folder, or a GGUF file, or a folder of shards with --max-shard-size or --keep-split.`,
	examples: []example{
		{"the usual choice", "loratool quantize model-f16.gguf Q4_K_M -o model-Q4_K_M.gguf"},
		{"with an importance matrix, and a better output", "loratool quantize model.gguf IQ3_XS -o small.gguf --imatrix imatrix.gguf --output-tensor-type q8_0"},
		{"as good as two gigabytes can be", "loratool quantize model.gguf -o small.gguf --target-size 2GB"},
		{"a checkpoint in 4 bits, for bitsandbytes", "loratool quantize ./model nf4 -o ./model-nf4"},
		{"4 bits for vLLM, with some layers in 8", "loratool quantize ./model w4a16 -o ./small --search --module 'down_proj=fp8' --report report.html"},
		{"what would become of each tensor?", "loratool quantize model.gguf Q5_K_M -o out.gguf --dry-run -v"},
	},
	flags: flagList(
		&cli.StringFlag{Name: "target-size", Usage: "`SIZE` of the file at most, instead of TYPE; G is 10^9 here"},
		&cli.Float64Flag{Name: "target-bpw", Usage: "`BITS` per weight at most, instead of TYPE"},
		recipeFlags(), shrinkFlags(),
		&cli.IntSliceFlag{Name: "prune-layers", Usage: "leave out layer `N`, and number those after it anew; may be repeated"},
		&cli.StringSliceFlag{Name: "override-kv", Usage: "`KEY=TYPE:VALUE`: set metadata; TYPE is int, float, bool or str; may be repeated"},
		outputFlags(), splitFlags(), workFlags(),
	),
	operands: [2]int{1, 2},
	run:      runQuantize,
}

// recipeFlags are for choosing number formats.
func recipeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "imatrix", Usage: "`FILE` with the importance of inputs, as llama-imatrix measures it"},
		&cli.StringSliceFlag{Name: "include-weights", Usage: "use it only for tensors with `TEXT` in their names; may be repeated"},
		&cli.StringSliceFlag{Name: "exclude-weights", Usage: "do not use it for tensors with `TEXT` in their names; may be repeated"},
		&cli.BoolFlag{Name: "pure", Usage: "the same format for all tensors"},
		&cli.BoolFlag{Name: "leave-output-tensor", Usage: "leave output.weight as it is"},
		&cli.StringFlag{Name: "output-tensor-type", Usage: "`FORMAT` of output.weight"},
		&cli.StringFlag{Name: "token-embedding-type", Usage: "`FORMAT` of token embeddings"},
		&cli.StringSliceFlag{Name: "tensor-type", Usage: "`REGEXP=FORMAT`: of tensors in whose names the expression matches; the first that does counts; may be repeated"},
		&cli.StringFlag{Name: "tensor-type-file", Usage: "`FILE` with more of these, with space between them"},
		&cli.BoolFlag{Name: "allow-requantize", Usage: "quantize tensors that are quantized already again"},
	}
}

// splitFlags are for commands that write GGUF.
func splitFlags() []cli.Flag {
	return []cli.Flag{
		shardFlag(""),
		&cli.BoolFlag{Category: groupOutput, Name: "keep-split", Usage: "a shard for each shard of MODEL; OUT is a folder then"},
	}
}

func fileTypeNames() (names []string) {
	for _, f := range recipe.FTypes() {
		names = append(names, f.String())
	}
	return names
}

// noType is the error about a type that is none of GGUF's recipes and of others.
func noType(name string, others ...string) error {
	names := slices.Concat(fileTypeNames(), others)
	hint := "the types are " + join(names)
	if best := closest(name, names); best != "" {
		hint = "did you mean " + best + "? " + hint
	}
	return usagef(hint, "there is no type %q", name)
}

func runQuantize(c *call) error {
	if t, ok := shrink.ParseType(c.operand(1)); ok {
		return c.runShrink(t)
	}
	if err := c.noShrinkFlags(); err != nil {
		return err
	}
	var o transform.QuantizeOptions
	target, err := c.sizeTarget(&o)
	if err != nil {
		return err
	}
	close, err := c.quantizeOptions(&o)
	if err != nil {
		return err
	}
	defer close()
	m, err := c.openGGUF(c.operand(0))
	if err != nil {
		return err
	}
	defer m.Close()
	if target != (transform.SizeTarget{}) {
		if err := c.checkOutputs(&formats.Layout{Inputs: m.Inputs}); err != nil {
			return err
		}
		if o, err = c.fitSize(m, o, target); err != nil {
			return err
		}
	}
	out, report, err := transform.Quantize(m, o)
	if err != nil {
		return err
	}
	var shards []int
	if c.Bool("keep-split") {
		shards = keptShards(m, report)
	}
	l, err := c.layoutGGUF(out, shards)
	if err != nil {
		return err
	}
	c.explainQuantize(report, &o)
	return c.write(l, report, func() { c.planQuantize(report) })
}

// sizeTarget reads what is to be made: TYPE, or how large it may be.
func (c *call) sizeTarget(o *transform.QuantizeOptions) (target transform.SizeTarget, err error) {
	size, bpw := c.String("target-size"), c.Float64("target-bpw")
	switch {
	case size == "" && !c.IsSet("target-bpw"):
		if c.NArg() < 2 {
			return target, usagef("the form is: "+c.cmd.usage(), "TYPE is missing, or --target-size, or --target-bpw")
		}
		var ok bool
		if o.Recipe.FType, ok = recipe.ParseFType(c.operand(1)); !ok {
			return target, noType(c.operand(1), append([]string{"COPY"}, shrinkTypeNames()...)...)
		}
	case c.NArg() > 1 || size != "" && c.IsSet("target-bpw"):
		return target, usagef(c.cmd.see(), "TYPE, --target-size and --target-bpw are three ways to say how large the result shall be")
	case c.Bool("pure") || c.Bool("keep-split") || c.String("max-shard-size") != "":
		return target, usagef("loratool split divides the result", "--pure, --keep-split and --max-shard-size do not go with a target")
	case size != "":
		if target.Bytes, err = parseSize(size, decimalUnits); err != nil {
			return target, usagef(c.cmd.see(), "--target-size: %v", err)
		}
	case bpw > 0 && bpw <= 32:
		target.BitsPerWeight = bpw
	default:
		return target, usagef(c.cmd.see(), "--target-bpw can't be %v", bpw)
	}
	return target, nil
}

// fitSize chooses formats for a target.
func (c *call) fitSize(m *formats.Model, o transform.QuantizeOptions, target transform.SizeTarget) (transform.QuantizeOptions, error) {
	var fit *transform.SizeFit
	err := c.watched(func(run transform.Options) (err error) {
		fit, err = transform.FitSize(c.ctx, m, o, target, run)
		return err
	})
	if err != nil {
		return o, err
	}
	c.infof("by samples, the error is %.4g; no choice of this size can be below %.4g", fit.Error, fit.Bound)
	return fit.Options, nil
}

// planQuantize prints how many tensors get which format.
func (c *call) planQuantize(report *transform.QuantizeReport) {
	for i, f := range report.Totals() {
		c.row(i, "formats", "%-8v %s, %s", f.DType, plural(f.Tensors, "%d tensor", "%d tensors"), formatSize(f.Bytes))
	}
	c.row(0, "size", "%s of tensors, %.4g bits per weight", formatSize(report.Bytes()), report.BitsPerWeight())
}

// recipe reads the flags that change the recipe.
func (c *call) recipe(o *transform.QuantizeOptions) error {
	r := &o.Recipe
	r.Pure, r.LeaveOutput = c.Bool("pure"), c.Bool("leave-output-tensor")
	o.AllowRequantize, o.KeepOrder = c.Bool("allow-requantize"), c.Bool("keep-split")
	o.PruneLayers = c.IntSlice("prune-layers")
	o.Measure = c.String("report") != ""
	for _, flag := range []struct {
		name string
		dst  *formats.DType
	}{{"output-tensor-type", &r.OutputType}, {"token-embedding-type", &r.TokenEmbeddingType}} {
		if s := c.String(flag.name); s != "" {
			d, err := recipe.ParseDType(s)
			if err != nil {
				return usagef(c.cmd.see(), "--%s: %v", flag.name, err)
			}
			*flag.dst = d
		}
	}
	overrides := c.StringSlice("tensor-type")
	if path := c.String("tensor-type-file"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		overrides = append(overrides, strings.Fields(string(data))...)
	}
	for _, s := range overrides {
		v, err := recipe.ParseOverride(s)
		if err != nil {
			return usagef(c.cmd.see(), "--tensor-type: %v", err)
		}
		r.Overrides = append(r.Overrides, v)
	}
	for _, s := range c.StringSlice("override-kv") {
		kv, err := transform.ParseOverrideKV(s)
		if err != nil {
			return usagef(c.cmd.see(), "--override-kv: %v", err)
		}
		o.Metadata = append(o.Metadata, kv)
	}
	return nil
}

// filtered returns the entries of an importance matrix that the flags leave.
func (c *call) filtered(m *imatrix.Matrix) *imatrix.Matrix {
	include, exclude := c.StringSlice("include-weights"), c.StringSlice("exclude-weights")
	if len(include)+len(exclude) == 0 {
		return m
	}
	return m.Filter(func(name string) bool {
		occurs := func(part string) bool { return strings.Contains(name, part) }
		return (len(include) == 0 || slices.ContainsFunc(include, occurs)) && !slices.ContainsFunc(exclude, occurs)
	})
}

// openGGUF opens a model that must be GGUF.
func (c *call) openGGUF(ref string) (*formats.Model, error) {
	m, err := hf.Open(ref)
	if err != nil {
		return nil, err
	}
	if m.Format != "gguf" {
		m.Close()
		return nil, &formats.Error{Path: ref, Err: formats.Reasonf(formats.ErrUnsupported, "it is %s, not GGUF", m.Format),
			Hint: "loratool convert " + ref + " -o OUT.gguf makes GGUF of a checkpoint, with --type Q4_K_M quantized in one go"}
	}
	return m, nil
}

// keptShards returns the shard of each tensor: the one that its source is in.
func keptShards(m *formats.Model, report *transform.QuantizeReport) []int {
	sources := make([]*formats.Tensor, len(report.Tensors))
	for i, t := range report.Tensors {
		sources[i] = t.Source
	}
	return gguf.Shards(m, sources)
}
