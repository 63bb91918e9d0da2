package main

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform"
	"github.com/loratool/loratool/transform/shrink"
)

// shrinkFlags are for commands that write quantized checkpoints.
func shrinkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "group-size", Usage: "`N` weights share a scale, in a checkpoint (mlx-4bit, mlx-8bit, w4a16)"},
		&cli.StringSliceFlag{Name: "skip", Usage: "`REGEXP`: leave modules in whose names it matches as they are, in a checkpoint; may be repeated"},
		&cli.StringSliceFlag{Name: "module", Usage: "`REGEXP=TYPE` of modules in a checkpoint; the first that matches counts; may be repeated"},
		&cli.BoolFlag{Name: "search", Usage: "search for the scales with the least error, in a checkpoint (w4a16, nvfp4, mxfp4)"},
	}
}

func shrinkTypeNames() (names []string) {
	for _, t := range shrink.Types {
		names = append(names, string(t.Type))
	}
	return names
}

// shrinkOptions reads the flags that say how a checkpoint is quantized.
func (c *call) shrinkOptions() (o shrink.Options, err error) {
	for _, name := range flagNames(recipeFlags()) {
		if c.IsSet(name) {
			return o, usagef(c.cmd.see(), "--%s is for GGUF, not for a quantized checkpoint", name)
		}
	}
	o.GroupSize, o.Search = c.Int("group-size"), c.Bool("search")
	for _, s := range c.StringSlice("skip") {
		re, err := regexp.Compile(s)
		if err != nil {
			return o, usagef(c.cmd.see(), "--skip: %v", err)
		}
		o.Skip = append(o.Skip, re)
	}
	for _, s := range c.StringSlice("module") {
		i := strings.LastIndexByte(s, '=')
		t, ok := shrink.ParseType(s[i+1:])
		if i < 0 || !ok {
			return o, usagef("write REGEXP=TYPE with one of "+join(shrinkTypeNames()), "--module can't be %q", s)
		}
		re, err := regexp.Compile(s[:i])
		if err != nil {
			return o, usagef(c.cmd.see(), "--module: %v", err)
		}
		o.Modules = append(o.Modules, shrink.Override{Pattern: re, Type: t.Type})
	}
	return o, nil
}

func flagNames(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		names = append(names, f.Names()[0])
	}
	return names
}

// noShrinkFlags returns an error if a flag for quantized checkpoints is set.
func (c *call) noShrinkFlags() error {
	for _, name := range flagNames(shrinkFlags()) {
		if c.IsSet(name) {
			return usagef("types of checkpoints are "+join(shrinkTypeNames()), "--%s is for quantized checkpoints", name)
		}
	}
	return nil
}

// runShrink quantizes a checkpoint.
func (c *call) runShrink(t shrink.TypeInfo) error {
	for _, name := range []string{"target-size", "target-bpw", "prune-layers", "override-kv", "keep-split"} {
		if c.IsSet(name) {
			return usagef(c.cmd.see(), "--%s is for GGUF, and %s is a type of checkpoints", name, t.Type)
		}
	}
	m, source, err := c.openSource(c.operand(0))
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Format == "gguf" {
		return &formats.Error{Path: m.Path, Err: formats.Reasonf(formats.ErrUnsupported, "it is GGUF, and %s is a type of checkpoints", t.Type),
			Hint: "loratool convert makes a checkpoint of it"}
	}
	if source != nil {
		c.warnf("%s is quantized already (%s): quantizing again adds a second error to the first; start from the original if there is one", m.Path, source.Scheme)
	}
	return c.writeShrunk(m, nil, t, nil, nil)
}

// writeShrunk quantizes a model and writes it. base is what adapters were merged into to
// make it, nil for none; report and rows are of the merge.
func (c *call) writeShrunk(m, base *formats.Model, t shrink.TypeInfo, before any, rows func()) error {
	if ext := strings.ToLower(filepath.Ext(c.String("output"))); slices.Contains([]string{".safetensors", ".gguf"}, ext) {
		return usagef("-o FOLDER", "-o %s: loaders of %s need a folder, with a config.json that says how the weights are quantized", c.String("output"), t.Type)
	}
	o, err := c.shrinkOptions()
	if err != nil {
		return err
	}
	out, made, err := shrink.Quantize(m, t.Type, o)
	if err != nil {
		return err
	}
	report := transform.NewShrinkReport(m, out, made, before)
	l, err := c.layout(out)
	if err != nil {
		return err
	}
	c.infof("%s, %.4g bits per weight, for %s", matricesByType(made), report.BitsPerWeight, made.Loader)
	for _, n := range made.Notes {
		c.warnf("%s", n)
	}
	for _, x := range made.Matrices {
		if x.Type == "" {
			c.detailf("%s stays %v: %s", x.Name, m.Tensor(x.Name).DType, x.Kept)
		} else {
			c.detailf("%s becomes %s", x.Name, x.Type)
		}
	}
	if c.String("report") != "" && !c.Bool("dry-run") {
		if err := c.checkOutputs(l); err != nil {
			return err
		}
		var madeBase *formats.Model
		if base != nil {
			if madeBase, _, err = shrink.Quantize(base, t.Type, o); err != nil {
				return err
			}
		}
		err := c.watched(func(o transform.Options) error { return report.Measure(c.ctx, m, out, base, madeBase, o) })
		if err != nil {
			return err
		}
		c.infof("the relative error of the quantized matrices is %.4f", report.Error)
	}
	return c.write(l, report, func() {
		if rows != nil {
			rows()
		}
		c.row(0, "quantized", "%s, %.4g bits per weight", matricesByType(made), report.BitsPerWeight)
		for i, s := range keptReasons(made) {
			c.row(i, "kept", "%s", s)
		}
	})
}

// matricesByType says how many matrices become which type.
func matricesByType(r *shrink.Report) string {
	var order []shrink.Type
	count := map[shrink.Type]int{}
	for _, x := range r.Matrices {
		if x.Type != "" {
			if count[x.Type]++; count[x.Type] == 1 {
				order = append(order, x.Type)
			}
		}
	}
	var parts []string
	for _, t := range order {
		parts = append(parts, plural(count[t], "%d matrix becomes ", "%d matrices become ")+string(t))
	}
	return cmp.Or(join(parts), "no matrix is quantized")
}

// keptReasons says how many matrices stay as they are, by reason.
func keptReasons(r *shrink.Report) (lines []string) {
	var order []string
	count := map[string]int{}
	for _, x := range r.Matrices {
		if x.Type == "" {
			if count[x.Kept]++; count[x.Kept] == 1 {
				order = append(order, x.Kept)
			}
		}
	}
	for _, why := range order {
		lines = append(lines, plural(count[why], "%d: ", "%d: ")+why)
	}
	return lines
}
