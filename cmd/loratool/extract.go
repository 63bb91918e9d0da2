package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/imatrix"
	"github.com/loratool/loratool/transform"
)

var extractCommand = &command{
	name:    "extract",
	form:    "BASE FINETUNED -o ADAPTER [--rank N | --rank auto | --energy E | --error E | --budget SIZE]",
	summary: "make a LoRA adapter of what fine-tuning changed, and say exactly how good it is",
	about: `Finds for each changed matrix the factors B·A nearest to finetuned − base, and writes a PEFT adapter
		folder with them. Norms, biases, and embeddings of another size go into it as they are. The error that
		is printed is that of the numbers in the files.

		Without any of them it is --rank 16. --rank auto keeps the singular values that stand out of the noise that
		storing the weights in 16 bits made: the true rank, if the fine-tune was a LoRA. --budget spends a
		size where it keeps the most over all layers. loratool spectrum shows beforehand what ranks would keep.

		A report that ends in .html is a page with plots, any other is JSON.`,
	examples: []example{
		{"rank 16 for every layer", "loratool extract ./base ./finetuned -o ./adapter --rank 16"},
		{"as much as fits into 200 MB, with a page about it", "loratool extract ./base ./finetuned -o ./adapter --budget 200MB --report report.html"},
		{"get back a LoRA that was merged", "loratool extract ./base ./merged -o ./adapter --rank auto"},
	},
	flags: flagList(
		&cli.StringFlag{Name: "rank", Usage: "`N`: the rank of every layer, or auto: as many as stand out of the noise"},
		&cli.Float64Flag{Name: "energy", Usage: "`SHARE` of each layer's squared norm to keep, such as 0.95"},
		&cli.Float64Flag{Name: "error", Usage: "`E`: the relative error that each layer may have, such as 0.1"},
		&cli.StringFlag{Name: "budget", Usage: "`SIZE` of the adapter's weights; G is 10^9 here, GiB 2^30"},
		&cli.IntFlag{Name: "max-rank", Value: transform.DefaultMaxRank, Usage: "`N`: no layer has a larger rank, unless --rank N says so"},
		&cli.BoolFlag{Name: "uniform", Usage: "one rank for all layers, for programs that know no rank_pattern"},
		&cli.StringFlag{Name: "dtype", Usage: "`FORMAT` of the factors: bf16, f16 or f32; otherwise the base's"},
		&cli.StringFlag{Name: "factors", Value: "split", Usage: "`WHERE` the singular values go: split (half to each factor), up (to B) or down (to A)"},
		&cli.BoolFlag{Name: "exact", Usage: "the best possible to five digits, at about twice the time"},
		&cli.Float64Flag{Name: "tol", Value: 0.001, Usage: "`T`: how much larger than the best possible the error may be, as a fraction"},
		&cli.StringFlag{Name: "imatrix", Usage: "`FILE` that says how large each input is on average, to weigh errors by"},
		pairFlags(), outputFlags(), workFlags(),
	),
	operands: [2]int{2, 2},
	run:      runExtract,
}

// pairFlags are for commands that compare a base and a fine-tuned model.
func pairFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "include", Usage: "`REGEX`: only tensors whose name matches"},
		&cli.StringFlag{Name: "exclude", Usage: "`REGEX`: no tensors whose name matches"},
		&cli.StringSliceFlag{Name: "save-module", Usage: "`NAME` of a module to save in full instead of factors, or what such names end in; may be repeated"},
	}
}

func runExtract(c *call) error {
	o, err := c.extractOptions()
	if err != nil {
		return err
	}
	base, tuned, closeBoth, err := c.openPair()
	if err != nil {
		return err
	}
	defer closeBoth()
	if name := c.String("imatrix"); name != "" {
		m, err := imatrix.Open(name)
		if err != nil {
			return err
		}
		defer m.Close()
		o.Importance = transform.ImportanceOf(m)
	}
	out := c.String("output")
	place := &formats.Layout{Folder: true, Inputs: append(append([]*formats.File{}, base.Inputs...), tuned.Inputs...)}
	if err := formats.CheckOutput(out, place, c.Bool("force")); err != nil {
		return err
	}
	if err := c.checkReport(place); err != nil {
		return err
	}
	o.BaseName, o.TempDir = c.operand(0), filepath.Dir(filepath.Clean(out))
	if c.Bool("dry-run") {
		return c.planExtract(base, tuned, o, out)
	}
	start := time.Now()
	var x *transform.Extraction
	err = c.watched(func(w transform.Options) error {
		o.Options = w
		x, err = transform.Extract(c.ctx, base, tuned, o)
		return err
	})
	if err != nil {
		return err
	}
	defer x.Close()
	if err := transform.Write(c.ctx, x.Layout, out, c.options()); err != nil {
		return err
	}
	if err := c.writeReport(x.Layout, x.Report); err != nil {
		return err
	}
	c.showExtraction(x.Report)
	c.infof("wrote %s in %s", formatSize(x.Layout.NumBytes()), formatDuration(time.Since(start)))
	if c.progressMode == "json" {
		c.event(map[string]any{"type": "result", "output": out, "bytes": x.Layout.NumBytes(), "elapsed": time.Since(start).Seconds(),
			"relative_error": x.Report.RelativeError, "energy": x.Report.Energy})
	}
	c.printf("%s\n", out)
	return nil
}

// openPair opens the base and the fine-tuned model.
func (c *call) openPair() (base, tuned *formats.Model, closeBoth func(), err error) {
	if base, err = c.openCheckpoint(c.operand(0)); err != nil {
		return nil, nil, nil, err
	}
	if tuned, err = c.openCheckpoint(c.operand(1)); err != nil {
		base.Close()
		return nil, nil, nil, err
	}
	return base, tuned, func() { base.Close(); tuned.Close() }, nil
}

// extractOptions reads the flags that say what to extract.
func (c *call) extractOptions() (o transform.ExtractOptions, err error) {
	given := 0
	for _, name := range []string{"rank", "energy", "error", "budget"} {
		if c.IsSet(name) {
			given++
		}
	}
	if given > 1 {
		return o, usagef(c.cmd.see(), "--rank, --energy, --error and --budget exclude each other")
	}
	switch rank := c.String("rank"); {
	case rank == "auto":
		o.AutoRank = true
	case rank != "":
		if o.Rank, err = strconv.Atoi(rank); err != nil || o.Rank < 1 {
			return o, usagef("--rank is a number from 1, or auto", "--rank can't be %q", rank)
		}
	case given == 0:
		o.Rank = 16
	}
	for name, to := range map[string]*float64{"energy": &o.Energy, "error": &o.Error, "tol": &o.Tolerance} {
		*to = c.Float64(name)
		if c.IsSet(name) && !(*to > 0 && *to < 1) {
			return o, usagef("--"+name+" is a share, between 0 and 1", "--%s can't be %v", name, *to)
		}
	}
	if s := c.String("budget"); s != "" {
		if o.Budget, err = parseSize(s, decimalUnits); err != nil {
			return o, usagef(c.cmd.see(), "--budget: %v", err)
		}
	}
	if o.MaxRank = c.Int("max-rank"); o.MaxRank < 1 {
		return o, usagef("", "--max-rank must be at least 1")
	}
	if c.Bool("exact") {
		o.Tolerance = 1e-6
	}
	if c.IsSet("dtype") {
		if o.DType, err = c.dtype(""); err != nil {
			return o, err
		}
	}
	switch c.String("factors") {
	case "split":
		o.LeftShare = 0.5
	case "up":
		o.LeftShare = 1
	case "down":
	default:
		return o, usagef("--factors is split, up or down", "--factors can't be %q", c.String("factors"))
	}
	o.Uniform = c.Bool("uniform")
	return o, c.pairOptions(&o)
}

// pairOptions reads the flags that choose tensors.
func (c *call) pairOptions(o *transform.ExtractOptions) error {
	for name, to := range map[string]**regexp.Regexp{"include": &o.Include, "exclude": &o.Exclude} {
		if s := c.String(name); s != "" {
			re, err := regexp.Compile(s)
			if err != nil {
				return usagef(c.cmd.see(), "--%s: %v", name, err)
			}
			*to = re
		}
	}
	o.SaveModules = c.StringSlice("save-module")
	return nil
}

// planExtract prints what an extraction would do.
func (c *call) planExtract(base, tuned *formats.Model, o transform.ExtractOptions, out string) error {
	p, err := transform.PlanExtract(base, tuned, o)
	if err != nil {
		return err
	}
	c.printf("%s\n", c.heading("Plan"))
	c.row(0, "output", "%s", out)
	c.row(0, "matrices", "%d, of %d parameters", p.Matrices, p.Parameters)
	c.row(0, "other tensors", "%d, which are saved if they changed", p.Others)
	if p.FactorBytes > 0 {
		c.row(0, "factors", "%s, if all matrices changed", formatSize(p.FactorBytes))
	}
	c.row(0, "memory", "%s at most, for buffers", formatMemory(c.memory))
	c.row(0, "threads", "%d", c.workers)
	return nil
}
