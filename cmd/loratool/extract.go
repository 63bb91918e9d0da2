package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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
		dtypeFlag("`FORMAT` of the factors: bf16, f16 or f32; otherwise the base's", ""),
		&cli.StringFlag{Name: "factors", Value: "split", Usage: "`WHERE` the singular values go: split (half to each factor), up (to B) or down (to A)"},
		&cli.BoolFlag{Name: "exact", Usage: "the best possible to five digits, at about twice the time"},
		&cli.Float64Flag{Name: "tol", Value: 0.001, Usage: "`T`: how much larger than the best possible the error may be, as a fraction"},
		&cli.StringFlag{Name: "imatrix", Usage: "`FILE` that says how large each input is on average, to weigh errors by"},
		pairFlags(), outputFlags(), workFlags(),
	),
	choices:  map[string][]string{"factors": {"split", "up", "down"}},
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
	p, err := c.openCheckpoints()
	if err != nil {
		return err
	}
	defer p.Close()
	if name := c.String("imatrix"); name != "" {
		m, err := imatrix.Open(name)
		if err != nil {
			return err
		}
		defer m.Close()
		o.Importance = transform.ImportanceOf(m)
	}
	place := &formats.Layout{Folder: true, Inputs: p.inputs()}
	if err := c.checkOutputs(place); err != nil {
		return err
	}
	o.BaseName, o.TempDir = c.operand(0), filepath.Dir(filepath.Clean(c.String("output")))
	if c.Bool("dry-run") {
		return p.explain(c.planExtract(p, o))
	}
	start := time.Now()
	var x *transform.Extraction
	err = c.watched(func(w transform.Options) error {
		o.Options = w
		x, err = transform.Extract(c.ctx, p.a, p.b, o)
		return err
	})
	if err != nil {
		return p.explain(err)
	}
	defer x.Close()
	if err := transform.Write(c.ctx, x.Layout, c.String("output"), c.options()); err != nil {
		return err
	}
	c.showExtraction(x.Report)
	return c.finish(x.Layout, x.Report, start, map[string]any{"relative_error": x.Report.RelativeError, "energy": x.Report.Energy})
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
	o.LeftShare = map[string]float64{"split": 0.5, "up": 1, "down": 0}[strings.ToLower(c.String("factors"))]
	o.DType, o.Uniform = c.dtype(), c.Bool("uniform")
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
func (c *call) planExtract(p *pair, o transform.ExtractOptions) error {
	plan, err := transform.PlanExtract(p.a, p.b, o)
	if err != nil {
		return err
	}
	c.printf("%s\n", c.heading("Plan"))
	c.row(0, "output", "%s", c.String("output"))
	c.row(0, "matrices", "%d, of %d parameters", plan.Matrices, plan.Parameters)
	c.row(0, "other tensors", "%d, which are saved if they changed", plan.Others)
	if plan.FactorBytes > 0 {
		c.row(0, "factors", "%s, if all matrices changed", formatSize(plan.FactorBytes))
	}
	c.row(0, "memory", "%s at most, for buffers", formatMemory(c.memory))
	c.row(0, "threads", "%d", c.workers)
	return nil
}
